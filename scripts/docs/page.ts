/** What a page of the documentation is made of, as far as it can be checked. CONTRIBUTING.md has the rules. */

/** A fenced block. */
export type Block = {
  /** Word behind the opening fence; empty without one. */
  readonly language: string;
  /** The text between the fences. */
  readonly text: string;
  /** Line of the opening fence, from 1. */
  readonly line: number;
  /** What the comment right above it says. */
  readonly mark: Mark | undefined;
};

/** A comment above a block that says how the block is to be taken. */
export type Mark = {
  readonly kind: "not run" | "run in" | "read by" | "printed";
  readonly text: string;
};

/**
 * Where commands may be run beside the world that all pages have: `make test-cluster` has one with a cluster in it,
 * `test/vm/node.test.ts` boots a node of one.
 */
export type World = (typeof worlds)[number];
const worlds = ["cluster", "node"] as const;

/** Whether there is such a world. */
export function isKnownWorld(name: string): name is World {
  return worlds.some((world) => world === name);
}

/** Commands that a reader has done elsewhere: a comment that starts with `before:`, or `before in WORLD:`. */
export type Before = { readonly text: string; readonly line: number; readonly world: World | undefined };

/** A link, or a picture. */
export type Link = { readonly target: string; readonly line: number };

/** A command in the running text, between backticks. */
export type Inline = { readonly text: string; readonly line: number };

/** One page. Blocks and hidden commands are in `script` in their order too. */
export type Page = {
  readonly blocks: readonly Block[];
  readonly script: readonly (Block | Before)[];
  readonly links: readonly Link[];
  readonly inlines: readonly Inline[];
  /** Anchors of the headings, as they are in the address of a section. */
  readonly anchors: ReadonlySet<string>;
  /** Lines of blocks that are indented instead of fenced. */
  readonly indented: readonly number[];
};

/** Reads a page. */
export function readPage(text: string): Page {
  const reader = new Reader(text.split("\n"));
  while (!reader.isDone) reader.step();
  return reader.page;
}

/** Goes down the lines of a page. */
class Reader {
  readonly page = {
    blocks: [] as Block[],
    script: [] as (Block | Before)[],
    links: [] as Link[],
    inlines: [] as Inline[],
    anchors: new Set<string>(),
    indented: [] as number[],
  };
  readonly #lines: readonly string[];
  #at = 0;
  /** What the comment above has said, until something else stands between. */
  #mark: Mark | undefined;

  constructor(lines: readonly string[]) {
    this.#lines = lines;
  }

  get isDone(): boolean {
    return this.#at >= this.#lines.length;
  }

  /** Takes a comment, a block or a line. */
  step(): void {
    const line = this.#lines[this.#at] ?? "";
    if (line.startsWith("<!--")) this.#comment();
    else if (line.startsWith(fence)) this.#block(line);
    else this.#line(line);
    this.#at += 1;
  }

  #comment(): void {
    const line = this.#at + 1;
    const comment = this.#upTo((each) => each.includes("-->"), this.#at)
      .join("\n")
      .replace(/^<!--|-->.*$/gs, "")
      .trim();
    const [, world = "", text] = /^before(?: in (cluster|node))?:(.*)$/s.exec(comment) ?? [];
    if (text === undefined) this.#mark = markOf(comment) ?? this.#mark;
    else this.page.script.push({ text: text.trim(), line, world: isKnownWorld(world) ? world : undefined });
  }

  #block(opening: string): void {
    const [line, mark] = [this.#at + 1, this.#mark];
    const inside = this.#upTo((each) => each.startsWith(fence), this.#at + 1).slice(1);
    const text = (inside.at(-1)?.startsWith(fence) ? inside.slice(0, -1) : inside).join("\n");
    const block = { language: opening.slice(fence.length).trim(), text, line, mark };
    this.page.blocks.push(block);
    this.page.script.push(block);
    this.#mark = undefined;
  }

  #line(text: string): void {
    const line = this.#at + 1;
    const { anchors, indented, inlines, links } = this.page;
    if (text.trim() !== "") this.#mark = undefined;
    if (/^ {4}\S/.test(text) && this.#lines[this.#at - 1] === "" && !isInList(this.#lines, this.#at))
      indented.push(line);
    const heading = /^#{1,6} (.*)$/.exec(text)?.[1];
    if (heading !== undefined) anchors.add(anchorOf(heading, anchors));
    for (const [, target = ""] of text.matchAll(/\]\(([^()\s]+)\)/g)) links.push({ target, line });
    for (const [, code = ""] of text.matchAll(/`([^`]+)`/g)) inlines.push({ text: code, line });
  }

  /** The lines from here to the first from `start` on that is an end, or to the last; stands there then. */
  #upTo(isEnd: (line: string) => boolean, start: number): string[] {
    const from = this.#at;
    const end = this.#lines.findIndex((line, index) => index >= start && isEnd(line));
    this.#at = end < 0 ? this.#lines.length - 1 : end;
    return this.#lines.slice(from, this.#at + 1);
  }
}

const fence = "```";

function markOf(comment: string): Mark | undefined {
  const [, kind, text = ""] = /^(not run|run in|read by|printed)(?::\s*(.*))?$/s.exec(comment) ?? [];
  return kind === undefined ? undefined : { kind: kind as Mark["kind"], text };
}

/** Whether the last line before that is not indented begins an item of a list. */
function isInList(lines: readonly string[], at: number): boolean {
  const before = lines.slice(0, at).findLast((line) => /^\S/.test(line));
  return before !== undefined && /^([-*+]|\d+\.) /.test(before);
}

/** As code hosts make it: small letters, spaces as hyphens, punctuation gone, a number behind what comes again. */
function anchorOf(heading: string, taken: ReadonlySet<string>): string {
  const plain = heading
    .replace(/\[([^\]]*)\]\([^)]*\)/g, "$1")
    .toLowerCase()
    .replace(/[^\p{L}\p{N} _-]/gu, "")
    .replaceAll(" ", "-");
  let anchor = plain;
  for (let count = 1; taken.has(anchor); count += 1) anchor = `${plain}-${count}`;
  return anchor;
}
