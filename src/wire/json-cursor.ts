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
/** Ends an object. */
export const closeBrace = 0x7d;
const openBracket = 0x5b;
/** Ends a list. */
export const closeBracket = 0x5d;

/** What a text of plain characters does not hold: the quote that ends it, escapes, control characters. */
const endsPlain = new Uint8Array(256).map((_, byte) =>
  Number(byte < 0x20 || byte === quote || byte === backslash),
);

/** A place in one JSON text. */
export class JsonCursor {
  readonly #bytes: Uint8Array;
  #at = 0;
  /** Where the text or number passed last stands, a text without its quotes. */
  from = 0;
  to = 0;
  /** Whether the text passed last has no escapes; whether all of its bytes are ASCII. */
  isPlain = true;
  isAscii = true;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  /** Nothing may come after the value. */
  end(): void {
    if (this.#next() !== undefined) throw new WireError("more than one value");
  }

  /** Reads an object: `onKey` is called with each key and has to read the value or {@link skip} it. */
  object(onKey: (key: string) => void): void {
    if (!this.beginObject()) return;
    do {
      const key = this.text();
      this.#expect(colon);
      onKey(key);
    } while (this.goesOn(closeBrace));
  }

  /** Reads a list: `onItem` is called before each item and has to read it or {@link skip} it. */
  list(onItem: () => void): void {
    if (!this.beginList()) return;
    do onItem();
    while (this.goesOn(closeBracket));
  }

  /** For those to whom a call for each key is too much: goes into an object, and says whether there is anything in it. */
  beginObject(): boolean {
    this.#expect(openBrace);
    return !this.#takeIf(closeBrace);
  }

  /** The same with a list. */
  beginList(): boolean {
    this.#expect(openBracket);
    return !this.#takeIf(closeBracket);
  }

  /** After a member or an item: whether there is another; otherwise the object or list is over. */
  goesOn(close: typeof closeBrace | typeof closeBracket): boolean {
    if (this.#takeIf(comma)) return true;
    this.#expect(close);
    return false;
  }

  /** Passes over a key and the colon behind it. */
  passKey(): void {
    this.passText();
    this.#expect(colon);
  }

  /** The place of the next byte. */
  get at(): number {
    return this.#at;
  }

  /** Whether these bytes, a value as a whole, come next; then they are taken. */
  takeSame(known: Uint8Array): boolean {
    const bytes = this.#bytes;
    const { length } = known;
    const at = this.#at;
    if (length > bytes.length - at) return false;
    // Where they differ, it is near the end.
    for (let i = length - 1; i >= 0; i--) if (known[i] !== bytes[at + i]) return false;
    this.#at = at + length;
    return true;
  }

  /** The byte that a value begins with; undefined at the end. */
  peek(): number | undefined {
    return this.#next();
  }

  /** Passes over a text. */
  passText(): void {
    this.#expect(quote);
    this.from = this.#at;
    this.#passText();
    this.to = this.#at - 1;
  }

  /** Passes over a number. */
  passNumber(): void {
    this.from = this.#passNumber();
    this.to = this.#at;
  }

  /** The text passed last. */
  passed(): string {
    return this.isPlain
      ? rememberedText(this.#bytes, this.from, this.to)
      : this.#escaped(this.from - 1, this.to + 1);
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
    this.passText();
    return this.passed();
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

  /** Goes behind the closing quote, and says what is in the text. */
  #passText(): void {
    let isPlain = true;
    let all = 0;
    const bytes = this.#bytes;
    const { length } = bytes;
    for (let at = this.#at; at < length; at++) {
      const byte = bytes[at] as number;
      all |= byte;
      if (endsPlain[byte] === 0) continue;
      if (byte === quote) {
        this.#at = at + 1;
        this.isPlain = isPlain;
        this.isAscii = all < 0x80;
        return;
      }
      if (byte !== backslash) throw new WireError("control character in a text");
      isPlain = false;
      at++;
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
