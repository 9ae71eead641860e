/**
 * Numbers by ids of eight bytes, each as two words. Tables of words instead of a `Map` of texts: every old agent's span
 * has two ids to be looked up and kept, and a text for each would cost more than the rest of the span.
 *
 * Open addressing, at most half full. Ids come from guests, so places are mixed with a number that they do not know.
 */

const firstPlaces = 64;
const seed = (Math.random() * 0x1_0000_0000) | 0;
const empty = -1;

/** A map that only grows, until it is cleared. */
export class IdMap {
  #keys = new Int32Array(firstPlaces * 2);
  #values = new Int32Array(firstPlaces).fill(empty);
  #size = 0;

  get size(): number {
    return this.#size;
  }

  /** The number of an id, or -1. */
  get(high: number, low: number): number {
    return this.#values[this.#place(high, low)] as number;
  }

  /** `value`: 0 or more; one that was there is replaced. */
  set(high: number, low: number, value: number): void {
    if (this.#size * 2 >= this.#values.length) this.#grow();
    const place = this.#place(high, low);
    if (this.#values[place] === empty) this.#size++;
    this.#keys[place * 2] = high;
    this.#keys[place * 2 + 1] = low;
    this.#values[place] = value;
  }

  clear(): void {
    if (this.#size > 0) this.#values.fill(empty);
    this.#size = 0;
  }

  /** Where the id stands, or could. */
  #place(high: number, low: number): number {
    const keys = this.#keys;
    const values = this.#values;
    const mask = values.length - 1;
    let place = mixed(high, low) & mask;
    while (values[place] !== empty && (keys[place * 2] !== high || keys[place * 2 + 1] !== low))
      place = (place + 1) & mask;
    return place;
  }

  #grow(): void {
    const [keys, values] = [this.#keys, this.#values];
    this.#keys = new Int32Array(keys.length * 2);
    this.#values = new Int32Array(values.length * 2).fill(empty);
    this.#size = 0;
    for (let i = 0; i < values.length; i++)
      if (values[i] !== empty)
        this.set(keys[i * 2] as number, keys[i * 2 + 1] as number, values[i] as number);
  }
}

function mixed(high: number, low: number): number {
  let value = Math.imul(high ^ seed, 0x85eb_ca6b) ^ low;
  value = Math.imul(value ^ (value >>> 15), 0x27d4_eb2f);
  return value ^ (value >>> 13);
}
