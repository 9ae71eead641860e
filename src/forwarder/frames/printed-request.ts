import { printedPrefixChars } from "./mend-span.ts";
import type { SpanWriter } from "./span-writer.ts";

/**
 * Finds the container's id in a request that an agent printed, by its bytes: `Name { container_id: "id"`, as `mendSpan`
 * looks for it in a text.
 */

const afterName = Uint8Array.from(Buffer.from(" { container_id: "));
const containerKey = Uint8Array.from(Buffer.from("container.id"));
const backslash = 0x5c;
const quote = 0x22;
const minIdBytes = 2;
const maxIdBytes = 255;

/** Classes of bytes: 1 letters and digits, 2 also in a word, 4 also in an id. */
const classes = new Uint8Array(256).map((_, byte) => {
  const char = String.fromCharCode(byte);
  if (/[A-Za-z0-9]/.test(char)) return 7;
  return (char === "_" ? 6 : 0) | (char === "." || char === "-" ? 4 : 0);
});

/** Where the id stands that was looked for last. */
export class PrintedContainer {
  /** -1 without one. */
  from = -1;
  to = -1;

  /**
   * Looks in a text from `from` to `to`; `isEscaped`: as it stands in JSON. False when the answer depends on an escape
   * that nobody writes there.
   */
  find(bytes: Uint8Array, from: number, to: number, isEscaped: boolean): boolean {
    this.from = -1;
    const quoteBytes = isEscaped ? 2 : 1;
    let at = from;
    while (at < to && ((classes[bytes[at] as number] as number) & 2) !== 0) at++;
    if (at === from) return this.#isClear(bytes, at, to, isEscaped);
    for (let i = 0; i < afterName.length; i++, at++)
      if (at >= to || bytes[at] !== afterName[i]) return this.#isClear(bytes, at, to, isEscaped);
    if (!isQuote(bytes, at, to, isEscaped)) return this.#isClear(bytes, at, to, isEscaped);
    at += quoteBytes;
    const idFrom = at;
    while (at < to && ((classes[bytes[at] as number] as number) & 4) !== 0) at++;
    if (!isQuote(bytes, at, to, isEscaped)) return this.#isClear(bytes, at, to, isEscaped);
    const length = at - idFrom;
    const chars = at - from + 1 - (quoteBytes - 1);
    if (length < minIdBytes || length > maxIdBytes || chars > printedPrefixChars) return true;
    if (((classes[bytes[idFrom] as number] as number) & 1) === 0) return true;
    this.from = idFrom;
    this.to = at;
    return true;
  }

  /** Writes the attribute, if there is an id. Precondition: the span has its reserve. */
  write(bytes: Uint8Array, to: SpanWriter): void {
    if (this.from >= 0) to.textAttribute(containerKey, bytes, this.from, this.to);
  }

  #isClear(bytes: Uint8Array, at: number, to: number, isEscaped: boolean): boolean {
    return !isEscaped || at >= to || bytes[at] !== backslash;
  }
}

function isQuote(bytes: Uint8Array, at: number, to: number, isEscaped: boolean): boolean {
  if (!isEscaped) return at < to && bytes[at] === quote;
  return at + 1 < to && bytes[at] === backslash && bytes[at + 1] === quote;
}
