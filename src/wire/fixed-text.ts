/**
 * ASCII text of at least four characters that has to stand at a place, compared four bytes at a time: between the values
 * of a record that a program writes there is always the same.
 */
export class FixedText {
  readonly length: number;
  readonly #words: Int32Array;
  /** The last four bytes; they may overlap the word before. */
  readonly #last: number;

  constructor(text: string) {
    const bytes = Uint8Array.from(Buffer.from(text, "latin1"));
    const view = new DataView(bytes.buffer);
    this.length = bytes.length;
    this.#words = Int32Array.from({ length: bytes.length >> 2 }, (_, i) => view.getInt32(i * 4, true));
    this.#last = view.getInt32(bytes.length - 4, true);
  }

  /** Whether it stands at `at` and ends before `end`, which is within the view. */
  isAt(view: DataView, at: number, end: number): boolean {
    const { length } = this;
    if (length > end - at) return false;
    const words = this.#words;
    for (let i = 0; i < words.length; i++) if (view.getInt32(at + i * 4, true) !== words[i]) return false;
    return view.getInt32(at + length - 4, true) === this.#last;
  }
}
