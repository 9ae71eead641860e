import { constants } from "node:fs";
import { open } from "node:fs/promises";

/**
 * The text of a file that has no more than this many bytes; more is never read.
 * @throws the system error; Error when it is longer, or no file.
 */
export async function readText(path: string, maxBytes: number): Promise<string> {
  // A pipe without a writer would be waited for.
  await using file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
  if (!(await file.stat()).isFile()) throw new Error("it is no file");
  const buffer = Buffer.alloc(maxBytes + 1);
  let length = 0;
  for (let got = 1; got > 0; length += got)
    got = (await file.read(buffer, length, buffer.length - length)).bytesRead;
  if (length > maxBytes) throw new Error(`it is too long: more than ${maxBytes} bytes`);
  return buffer.toString("utf8", 0, length);
}
