import { decimalBytes } from "./decimal-bytes.ts";
import { rememberedText } from "./remembered-text.ts";
import { decodeUtf8 } from "./utf8.ts";
import { WireError } from "./wire-error.ts";

/**
 * Walks JSON text as bytes, value by value, as far as somebody asks; what nobody asks for is passed over without being
 * made. Numbers keep all their digits. Short texts that come again and again (keys, words) are made once.
 *
 * Only as strict as it has to be: what is passed over is checked for brackets and quotes, not for more.
 */

const quote = 0x22;
const backslash = 0x5c;
const comma = 0x2c;
const colon = 0x3a;
const openBrace = 0x7b;
const closeBrace = 0x7d;
const openBracket = 0x5b;
const closeBracket = 0x5d;
/** A place in one JSON text. */
export class JsonCursor {
  readonly #bytes: Uint8Array;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  /** Nothing may come after the value. */
  end(): void {
    if (this.#next() !== undefined) throw new WireError("more than one value");
  }

  /** Reads an object: `onKey` is called with each key and has to read the value or {@link skip} it. */
  object(onKey: (key: string) => void): void {
    this.#expect(openBrace);
    if (this.#takeIf(closeBrace)) return;
    do {
      const key = this.text();
      this.#expect(colon);
      onKey(key);
    } while (this.#takeIf(comma));
    this.#expect(closeBrace);
  }

  /** Reads a list: `onItem` is called before each item and has to read it or {@link skip} it. */
  list(onItem: () => void): void {
    this.#expect(openBracket);
    if (this.#takeIf(closeBracket)) return;
    do onItem();
    while (this.#takeIf(comma));
    this.#expect(closeBracket);
  }

  /** Begins an object of one key and gives the key: its value has to be read, then {@link endVariant}. */
  beginVariant(): string {
    this.#expect(openBrace);
    const key = this.text();
    this.#expect(colon);
    return key;
  }

  endVariant(): void {
    this.#expect(closeBrace);
  }

  /** Whether `null` comes; then it is taken. */
  isNull(): boolean {
    return this.#word("null");
  }

  bool(): boolean {
    if (this.#word("true")) return true;
    if (this.#word("false")) return false;
    throw new WireError("neither true nor false");
  }

  /** The digits of a number, with whatever else belongs to it. */
  number(): string {
    const from = this.#passNumber();
    return decodeUtf8(this.#bytes, from, this.#at);
  }

  /** A whole number from 0 to 2^53 - 1. */
  count(): number {
    const from = this.#passNumber();
    let value = 0;
    for (let i = from; i < this.#at; i++) {
      const digit = (this.#bytes[i] as number) - 0x30;
      if (digit < 0 || digit > 9) throw new WireError("not a count");
      value = value * 10 + digit;
    }
    if (value > Number.MAX_SAFE_INTEGER) throw new WireError("number too large");
    return value;
  }

  /** A whole number as `length` bytes, highest first. */
  id(length: number): Uint8Array {
    const from = this.#passNumber();
    return decimalBytes(this.#bytes, from, this.#at, length);
  }

  text(): string {
    this.#expect(quote);
    const from = this.#at;
    const isPlain = this.#passText();
    const to = this.#at - 1;
    return isPlain ? rememberedText(this.#bytes, from, to) : this.#escaped(from - 1, to + 1);
  }

  /** Passes over whatever value comes: up to the bracket that closes it, or to the end of a word or number. */
  skip(): void {
    const byte = this.#next();
    if (byte === quote) {
      this.#at++;
      this.#passText();
    } else if (byte === openBrace || byte === openBracket) this.#skipBrackets();
    else if (!this.isNull() && !this.#word("true") && !this.#word("false")) this.#passNumber();
  }

  #skipBrackets(): void {
    const bytes = this.#bytes;
    const { length } = bytes;
    let depth = 0;
    while (this.#at < length) {
      const byte = bytes[this.#at++] as number;
      if (byte === quote) this.#passText();
      else if (byte === openBrace || byte === openBracket) depth++;
      else if (byte === closeBrace || byte === closeBracket) {
        if (--depth === 0) return;
      }
    }
    throw new WireError("unexpected end");
  }

  /** Goes behind a number; gives where it began. */
  #passNumber(): number {
    this.#next();
    const from = this.#at;
    const { length } = this.#bytes;
    while (this.#at < length && isOfNumber(this.#bytes[this.#at] as number)) this.#at++;
    if (this.#at === from || this.#at - from > 400) throw new WireError("not a number");
    return from;
  }

  /** Goes behind the closing quote; true when nothing in the text is escaped. */
  #passText(): boolean {
    let isPlain = true;
    const bytes = this.#bytes;
    const { length } = bytes;
    for (let at = this.#at; at < length; at++) {
      const byte = bytes[at] as number;
      if (byte === quote) {
        this.#at = at + 1;
        return isPlain;
      }
      if (byte === backslash) {
        isPlain = false;
        at++;
      } else if (byte < 0x20) throw new WireError("control character in a text");
    }
    throw new WireError("unexpected end");
  }

  #escaped(from: number, to: number): string {
    const text = rememberedText(this.#bytes, from, to);
    try {
      return JSON.parse(text);
    } catch {
      throw new WireError("not a text");
    }
  }

  #word(word: string): boolean {
    this.#next();
    for (let i = 0; i < word.length; i++) if (this.#bytes[this.#at + i] !== word.charCodeAt(i)) return false;
    this.#at += word.length;
    return true;
  }

  #takeIf(byte: number): boolean {
    if (this.#next() !== byte) return false;
    this.#at++;
    return true;
  }

  #expect(byte: number): void {
    if (!this.#takeIf(byte)) throw new WireError("not the JSON that is due");
  }

  /** The next byte that is not white space, which stays; undefined at the end. */
  #next(): number | undefined {
    const byte = this.#bytes[this.#at];
    // Upstream writes no white space.
    return byte !== undefined && byte > 0x20 ? byte : this.#nextBehindSpace();
  }

  #nextBehindSpace(): number | undefined {
    let byte = this.#bytes[this.#at];
    while (byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09) byte = this.#bytes[++this.#at];
    return byte;
  }
}

/** Digits, signs, point and exponent. */
function isOfNumber(byte: number): boolean {
  return (
    (byte >= 0x30 && byte <= 0x39) ||
    byte === 0x2d ||
    byte === 0x2b ||
    byte === 0x2e ||
    (byte | 0x20) === 0x65
  );
}
