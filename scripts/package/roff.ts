/** Text for roff with the `man` macros: nothing in it is taken for a request or an escape. */
export function escapeRoff(text: string): string {
  return text
    .replaceAll("\\", "\\e")
    .replaceAll("-", "\\-")
    .replace(/^([.'])/gm, "\\&$1");
}

/** An argument of a macro. */
export function quotedRoff(text: string): string {
  return `"${escapeRoff(text).replaceAll('"', "\\(dq")}"`;
}

/** Bold words. */
export const bold = (text: string): string => `\\fB${escapeRoff(text)}\\fR`;

/** Words that stand for a value. */
export const italic = (text: string): string => `\\fI${escapeRoff(text)}\\fR`;

/** A paragraph with a hanging head, which is roff already. */
export function item(head: string, text: string): string {
  return `.TP\n${head}\n${escapeRoff(text)}`;
}

/** Lines as they stand. */
export function literal(text: string): string {
  return `.PP\n.nf\n${escapeRoff(text)}\n.fi`;
}

/** The first letter large and a full stop at the end, for texts that come from the help. */
export function sentence(text: string): string {
  // An address, or another word that stands for itself, keeps its spelling.
  const first = /^[a-z]+(?![^\s,;])/.test(text) ? text.slice(0, 1).toUpperCase() : text.slice(0, 1);
  return `${first}${text.slice(1).replace(/\.?$/, ".")}`;
}
