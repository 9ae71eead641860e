import { spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import type { Program } from "./programs.ts";

/** Makes the text of a bundle an expression: the function that Node wraps around a CommonJS module. */
export const moduleFunction = {
  before: "(function (exports, require, module, __filename, __dirname) {",
  after: "})",
} as const;

const script = `
const { readFileSync, writeFileSync } = require("node:fs");
const { Script } = require("node:vm");
`;
/** What runs in the place of the bundle. V8 refuses a cache that another version or other flags have made. */
const loader = `"use strict";
${script}
const base = __filename.slice(0, -".cjs".length);
const filename = base + ".bundle.js";
const read = (path, encoding) => { try { return readFileSync(path, encoding); } catch { return undefined; } };
const code = new Script(readFileSync(filename, "latin1"), { filename, cachedData: read(base + ".cache") });
code.runInThisContext()(exports, require, module, __filename, __dirname);
`;
/** Runs the bundle in vain, and keeps the code of all functions that ran up to its end. */
const maker = `${script}
const [, filename, cache] = process.argv;
process.argv = [process.argv[0], filename, "--help"];
const code = new Script(readFileSync(filename, "latin1"), { filename });
process.on("exit", () => writeFileSync(cache, code.createCachedData()));
code.runInThisContext()(exports, require, module, filename, require("node:path").dirname(filename));
`;

/**
 * Puts what starts a program beside its bundle: `<base>.cjs` loads `<base>.bundle.js` together with
 * `<base>.cache`, the code that V8 made of it when it ran here. Compiling is a third of a start otherwise.
 */
export function addCodeCache({ nodeFlags }: Program, base: string): void {
  writeFileSync(`${base}.cjs`, loader);
  const args = [...nodeFlags, "-e", maker, `${base}.bundle.js`, `${base}.cache`];
  spawnSync(process.execPath, args, { stdio: "ignore" });
}
