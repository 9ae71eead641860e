/**
 * Reads one table of a configuration file, key by key. What was not asked for is an error in the end: a key that is
 * misspelt must not pass in silence.
 */
export class ConfigReader {
  readonly #table: Readonly<Record<string, unknown>>;
  readonly #place: string;
  readonly #asked = new Set<string>();

  /** `place` stands before the keys in messages, such as `backend 1: `. @throws Error when it is not a table. */
  constructor(table: unknown, place: string) {
    if (typeof table !== "object" || table === null || Array.isArray(table))
      throw new Error(`${place}not a table`);
    this.#table = table as Record<string, unknown>;
    this.#place = place;
  }

  raw(key: string): unknown {
    this.#asked.add(key);
    return this.#table[key];
  }

  text(key: string): string | undefined {
    return this.#typed(key, (value): value is string => typeof value === "string", "a text");
  }

  /** A text that has to be there. */
  requiredText(key: string): string {
    return this.text(key) ?? this.fail(key, "is missing");
  }

  /** A whole number from `min` on, or up to `max`. */
  number(key: string, min: number, max = Number.POSITIVE_INFINITY): number | undefined {
    const isFine = (value: unknown): value is number =>
      Number.isSafeInteger(value) && (value as number) >= min && (value as number) <= max;
    const end = Number.isFinite(max) ? `to ${max}` : "on";
    return this.#typed(key, isFine, `a whole number from ${min} ${end}`);
  }

  /** A list of whole numbers from `min` to `max`. */
  numbers(key: string, min: number, max: number): readonly number[] | undefined {
    const isFine = (value: unknown): value is number[] =>
      Array.isArray(value) && value.every((item) => Number.isSafeInteger(item) && item >= min && item <= max);
    return this.#typed(key, isFine, `a list of whole numbers from ${min} to ${max}`);
  }

  truth(key: string): boolean | undefined {
    return this.#typed(key, (value): value is boolean => typeof value === "boolean", "true or false");
  }

  texts(key: string): readonly string[] | undefined {
    const isFine = (value: unknown): value is string[] =>
      Array.isArray(value) && value.every((item) => typeof item === "string");
    return this.#typed(key, isFine, "a list of texts");
  }

  /** A table of texts, such as headers. */
  textTable(key: string): Readonly<Record<string, string>> | undefined {
    return this.#tableOf(key, (value) => typeof value === "string", "a table of texts") as
      | Record<string, string>
      | undefined;
  }

  /** A table of numbers. */
  numberTable(key: string): Readonly<Record<string, number>> | undefined {
    return this.#tableOf(key, (value) => typeof value === "number" && value >= 0, "a table of numbers") as
      | Record<string, number>
      | undefined;
  }

  /** A table within this one; undefined when it is not there. */
  table(key: string): ConfigReader | undefined {
    const value = this.raw(key);
    return value === undefined ? undefined : new ConfigReader(value, `${this.#place}${key}: `);
  }

  /** Tables in a list. */
  tables(key: string): readonly ConfigReader[] {
    const value = this.raw(key) ?? [];
    if (!Array.isArray(value)) return this.fail(key, "is not a list of tables");
    return value.map((item, index) => new ConfigReader(item, `${this.#place}${key} ${index + 1}: `));
  }

  /** Runs a parser over a value and puts the place before its complaint. */
  parsed<T, V>(key: string, value: V, parse: (value: V) => T): T {
    try {
      return parse(value);
    } catch (error) {
      return this.fail(key, (error as Error).message);
    }
  }

  /** @throws Error when there are keys that nobody asked for. */
  end(): void {
    const unknown = Object.keys(this.#table).find((key) => !this.#asked.has(key));
    if (unknown !== undefined) this.fail(unknown, "is not known");
  }

  fail(key: string, why: string): never {
    throw new Error(`${this.#place}${key} ${why}`);
  }

  #typed<T>(key: string, isFine: (value: unknown) => value is T, what: string): T | undefined {
    const value = this.raw(key);
    return value === undefined || isFine(value) ? value : this.fail(key, `is not ${what}`);
  }

  #tableOf(key: string, isFine: (value: unknown) => boolean, what: string): object | undefined {
    const value = this.raw(key);
    if (value === undefined) return undefined;
    const isTable = typeof value === "object" && value !== null && !Array.isArray(value);
    return isTable && Object.values(value).every(isFine) ? value : this.fail(key, `is not ${what}`);
  }
}
