// Holds the import table of .imports.json over src/: who may import whom, types included, no rings, effects
// behind their doors. `node scripts/check-imports.ts [root]`; prints one line per violation, exit code 1.
import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { judge, type Table } from "./import-rules.ts";
import { type Facts, readImports } from "./read-imports.ts";

const root = process.argv[2] ?? join(import.meta.dirname, "..");
const table = JSON.parse(readFileSync(join(root, ".imports.json"), "utf8")) as Table;
const files = new Map<string, Facts>();
for (const path of globSync("src/**/*.{ts,tsx}", { cwd: root }).sort()) {
  files.set(path, readImports(path, readFileSync(join(root, path), "utf8")));
}
const faults = judge(root, table, files);
for (const fault of faults) process.stdout.write(`${fault}\n`);
if (faults.length > 0) {
  process.stdout.write(`${faults.length} violations of the import table (.imports.json)\n`);
  process.exitCode = 1;
}
