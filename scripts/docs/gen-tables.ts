// Writes the tables of docs/options.md and docs/cli.md from the code:
//   node scripts/docs/gen-tables.ts            writes them
//   node scripts/docs/gen-tables.ts --check    only says which are stale, and fails then
// A table stands between <!-- made from the code: NAME --> and <!-- end -->.
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { commandTables } from "./command-page.ts";
import { optionTables } from "./options-page.ts";

const root = join(import.meta.dirname, "../..");
const pages: readonly (readonly [path: string, tables: Readonly<Record<string, string>>])[] = [
  ["docs/options.md", optionTables()],
  ["docs/cli.md", commandTables()],
];

/** The page with its tables as they are now. */
function filled(path: string, page: string, tables: Readonly<Record<string, string>>): string {
  let text = page;
  for (const [name, table] of Object.entries(tables)) {
    const begin = `<!-- made from the code: ${name} -->\n`;
    const at = text.indexOf(begin) + begin.length;
    const end = text.indexOf("\n<!-- end -->", at);
    if (at < begin.length || end < 0) throw new Error(`${path} has no place for the table "${name}"`);
    text = `${text.slice(0, at)}\n${table}\n${text.slice(end)}`;
  }
  return text;
}

for (const [path, tables] of pages) {
  const before = readFileSync(join(root, path), "utf8");
  const after = filled(path, before, tables);
  if (after === before) continue;
  if (process.argv[2] === "--check") {
    process.stdout.write(`${path} is stale: node_modules/.bin/node scripts/docs/gen-tables.ts\n`);
    process.exitCode = 1;
  } else writeFileSync(join(root, path), after);
}
