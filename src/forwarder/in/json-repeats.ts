import type { JsonCursor } from "../../wire/json-cursor.ts";

/**
 * Items of a list that are the same text as the item at the same place of the list before: what they were written as is
 * written again. A program's spans have mostly the same attributes, and comparing one costs a tenth of reading it.
 */

/** Places that are remembered, and the longest text of an item. */
const maxItems = 16;
const maxTextBytes = 128;
/** Of so many items that were not known one is remembered: remembering has its price where nothing comes twice. */
const learnOneIn = 4;

type Item = { readonly text: Uint8Array; readonly written: Uint8Array };

/** What was written for one field. */
export class JsonRepeats {
  readonly #items: (Item | undefined)[] = new Array(maxItems).fill(undefined);
  #missed = 0;

  /** What was written for the text that comes, if it is the one that was at this place; it is taken then. */
  take(from: JsonCursor, index: number): Uint8Array | undefined {
    const item = index < maxItems ? this.#items[index] : undefined;
    return item !== undefined && from.takeSame(item.text) ? item.written : undefined;
  }

  /** Whether an item that was not known, of so many bytes of text, is to be remembered. */
  wants(index: number, textBytes: number): boolean {
    return index < maxItems && textBytes <= maxTextBytes && ++this.#missed % learnOneIn === 0;
  }

  /** The text of an item, and what it was written as; both are kept. */
  remember(index: number, text: Uint8Array, written: Uint8Array): void {
    this.#items[index] = { text, written };
  }
}
