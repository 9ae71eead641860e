/** Words of Rego itself, which a complaint may tell; every other quoted word is the policy's or the request's. */
const keywords: ReadonlySet<string> = new Set(
  "as contains default else every false if import in not null package set some true with".split(" "),
);

/**
 * What the engine finds wrong, without a word of the text that it looked at: its messages show the source line, and
 * quote names and values. `line 2, column 3: expecting expression`.
 */
export function policyComplaint(error: unknown): string {
  const text = error instanceof Error ? error.message : "";
  const [, line, column] = /^--> [^\n:]*:(\d+):(\d+)$/m.exec(text) ?? [];
  const [, what = text] = /^error: (.*)$/m.exec(text) ?? [];
  const told = what.replace(/`[^`]*`?/g, (quoted) => (keywords.has(quoted.slice(1, -1)) ? quoted : "…"));
  return line === undefined ? told : `line ${line}, column ${column}: ${told}`;
}
