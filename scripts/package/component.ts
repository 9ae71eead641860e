/** A part of the packages that others have written. */
export type Component = {
  /** Where it is from: npm, crates.io, Node.js itself, the C library of the machine that built, or a Debian package. */
  readonly kind: "npm" | "crate" | "node" | "libc" | "debian";
  readonly name: string;
  readonly version: string;
  /** An SPDX expression; of a Debian package its source, as its licences stand in its text. */
  readonly licence: string;
  /** The licences themselves and the notices that have to go with them. */
  readonly texts: readonly string[];
};

/**
 * What may be shipped: licences that ask for no more than their text and the names of the authors, and the LGPL, for the C
 * library in the static launchers, which can be made again with another one from the sources.
 */
const allowed: ReadonlySet<string> = new Set([
  "0BSD",
  "Apache-2.0",
  "BSD-2-Clause",
  "BSD-3-Clause",
  "BlueOak-1.0.0",
  "ISC",
  "LGPL-2.1-or-later",
  "MIT",
  "Unicode-3.0",
  "Zlib",
]);

/** Whether an SPDX expression can be met by licences of the list. `/` is what old crates write for OR. */
export function mayShip(expression: string): boolean {
  const flat = expression.replace(/[()]/g, " ");
  // Expressions here are in conjunctive form: (A OR B) AND C.
  return flat
    .split(/\sAND\s/)
    .every((part) => part.split(/\sOR\s|\//).some((name) => allowed.has(name.trim())));
}
