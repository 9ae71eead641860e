/** What a peer gets of the text of an error; nobody reads more, and a text may repeat what a peer has sent. */
const maxChars = 8192;
/** Leaves room for the other headers in the 16 KiB that an HTTP/2 frame and many a client's headers may have. */
const maxHeaderBytes = 12 * 1024;
/** A character becomes up to three bytes of UTF-8, and each of these `%xx`. */
const maxHeaderBytesPerChar = 9;

/** The text of an error as a peer gets it: its first 8192 characters, with U+FFFD for half a character. */
export function errorText(message: string): string {
  return message.slice(0, maxChars).toWellFormed();
}

/**
 * The text of an error for a `grpc-message` header, which gRPC percent-encodes: {@link errorText}, cut further so that
 * it takes at most 12 KiB as a header.
 */
export function errorHeaderText(message: string): string {
  const text = errorText(message);
  if (text.length * maxHeaderBytesPerChar <= maxHeaderBytes) return text;
  let headerBytes = 0;
  let end = 0;
  for (const char of text) {
    headerBytes += encodeURI(char).length;
    if (headerBytes > maxHeaderBytes) return text.slice(0, end);
    end += char.length;
  }
  return text;
}
