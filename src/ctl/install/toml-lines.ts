/**
 * A TOML text as lines, so that a value can be changed and everything else stays as people have written it: comments,
 * order, empty lines, ends of lines. It knows what configuration files look like, not all of TOML: tables with a head of
 * their own, a key and its value on one line. Whoever changes something parses the outcome (see edit-config.ts).
 */
export class TomlLines {
  readonly #lines: string[];
  readonly #end: string;

  constructor(text: string) {
    this.#end = text.includes("\r\n") ? "\r\n" : "\n";
    this.#lines = text.split(this.#end);
  }

  toString(): string {
    return this.#lines.join(this.#end);
  }

  /**
   * Sets a key: in its place, else below the comment that shows it, else below the key `beside`, else behind the last key
   * of its table, else in a new table at the end. `value` is TOML.
   */
  set(table: string, key: string, value: string, beside = key): void {
    const section = this.#section(table);
    if (section === undefined) {
      this.#append(table, `${key} = ${value}`);
      return;
    }
    const active = this.#find(section, keyLine(key));
    if (active !== undefined) {
      const [, head = "", , comment = ""] = /^(\s*[^=]+=\s*)(.*?)(\s+#[^"']*)?$/.exec(this.#at(active)) ?? [];
      this.#lines[active] = `${head}${value}${comment}`;
      return;
    }
    const shown = this.#find(section, shownLine(key)) ?? this.#find(section, shownLine(beside));
    this.#lines.splice((shown ?? this.#lastKey(section)) + 1, 0, `${key} = ${value}`);
  }

  /** Makes a comment of a key, where it is set. */
  comment(table: string, key: string): void {
    const section = this.#section(table);
    const line = section === undefined ? undefined : this.#find(section, keyLine(key));
    if (line !== undefined) this.#lines[line] = `# ${this.#at(line)}`;
  }

  #at(index: number): string {
    return this.#lines[index] ?? "";
  }

  #section(table: string): Section | undefined {
    const head = this.#lines.findIndex((line) => tableOf(line) === table);
    if (head < 0) return undefined;
    const next = this.#lines.findIndex((line, index) => index > head && /^\s*\[/.test(line) && isHead(line));
    return { head, end: next < 0 ? this.#lines.length : next };
  }

  #find({ head, end }: Section, pattern: RegExp): number | undefined {
    const found = this.#lines.findIndex((line, index) => index > head && index < end && pattern.test(line));
    return found < 0 ? undefined : found;
  }

  #lastKey({ head, end }: Section): number {
    for (let index = end - 1; index > head; index--)
      if (/^\s*[\w".-]+\s*=/.test(this.#at(index))) return index;
    return head;
  }

  #append(table: string, line: string): void {
    while (this.#lines.at(-1) === "") this.#lines.pop();
    this.#lines.push("", `[${table}]`, line, "");
  }
}

type Section = { readonly head: number; readonly end: number };

const isHead = (line: string): boolean => /^\s*\[\[?[^[\]]+\]\]?\s*(#.*)?$/.test(line);

/** The name in the head of a table, without spaces and quotes: `hypervisor.qemu`. */
function tableOf(line: string): string | undefined {
  const name = /^\s*\[([^[\]]+)\]\s*(#.*)?$/.exec(line)?.[1];
  return name?.replace(/["'\s]/g, "");
}

const escaped = (text: string): string => text.replace(/[.*+?^${}()|[\]\\-]/g, "\\$&");

/** A key that is set, or in a comment as an example. */
const shownLine = (key: string): RegExp => new RegExp(`^\\s*(#\\s*)?${escaped(key)}\\s*=`);

const keyLine = (key: string): RegExp => new RegExp(`^\\s*${escaped(key)}\\s*=`);
