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
export type Mark = { readonly kind: "not run" | "read by" | "printed"; readonly text: string };

/** Commands that a reader has done elsewhere: a comment that starts with `before:`. */
export type Before = { readonly text: string; readonly line: number };

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
  const blocks: Block[] = [];
  const script: (Block | Before)[] = [];
  const links: Link[] = [];
  const inlines: Inline[] = [];
  const anchors = new Set<string>();
  const indented: number[] = [];
  const lines = text.split("\n");
  let mark: Mark | undefined;
  for (let at = 0; at < lines.length; at += 1) {
    const line = lines[at] ?? "";
    const number = at + 1;
    if (line.startsWith("<!--")) {
      const end = lines.findIndex((each, index) => index >= at && each.includes("-->"));
      const comment = lines
        .slice(at, end + 1)
        .join("\n")
        .slice(4, -3)
        .trim();
      if (comment.startsWith("before:")) script.push({ text: comment.slice(7).trim(), line: number });
      else mark = markOf(comment) ?? mark;
      at = Math.max(at, end);
      continue;
    }
    if (line.startsWith("```")) {
      const end = lines.findIndex((each, index) => index > at && each.startsWith("```"));
      const inside = lines.slice(at + 1, end < 0 ? lines.length : end);
      const block = { language: line.slice(3).trim(), text: inside.join("\n"), line: number, mark };
      blocks.push(block);
      script.push(block);
      at = end < 0 ? lines.length : end;
      mark = undefined;
      continue;
    }
    if (line.trim() !== "") mark = undefined;
    if (/^ {4}\S/.test(line) && lines[at - 1] === "" && !isInList(lines, at)) indented.push(number);
    const heading = /^#{1,6} (.*)$/.exec(line)?.[1];
    if (heading !== undefined) anchors.add(anchorOf(heading, anchors));
    for (const [, target = ""] of line.matchAll(/\]\(([^()\s]+)\)/g)) links.push({ target, line: number });
    for (const [, code = ""] of line.matchAll(/`([^`]+)`/g)) inlines.push({ text: code, line: number });
  }
  return { blocks, script, links, inlines, anchors, indented };
}

function markOf(comment: string): Mark | undefined {
  const [, kind, text = ""] = /^(not run|read by|printed)(?::\s*(.*))?$/s.exec(comment) ?? [];
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
