import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "tap";
import { Code, codeName } from "../../src/base/code.ts";
import { allMethods } from "../../src/gen/methods.ts";

/** docs/api.md cannot go stale: it names every method, no code but the standard ones, and no test that is not there. */

const docs = join(import.meta.dirname, "../../docs");
const codes = new Set(Object.values(Code).map(codeName));

type Row = {
  /** `service/method`; undefined for what holds for every method. */
  readonly path: string | undefined;
  readonly code: string;
  readonly when: string;
  readonly tests: readonly { readonly title: string; readonly file: string }[];
};

/** The rows of the page's tables. The heading above a table is the service. */
function rowsOf(page: string): Row[] {
  let service = "";
  const rows: Row[] = [];
  for (const line of page.split("\n")) {
    if (line.startsWith("## ")) service = line.slice(3);
    const cells = line.split(" | ").map((cell) => cell.replace(/^\| | \|$/g, ""));
    if (!line.startsWith("| ") || cells.includes("code")) continue;
    const [tests = "", when = "", code = "", method] = cells.reverse();
    const path = method === undefined ? undefined : `${service}/${method.replaceAll("`", "")}`;
    rows.push({ path, code, when, tests: linksOf(tests) });
  }
  return rows;
}

function linksOf(cell: string): { title: string; file: string }[] {
  return [...cell.matchAll(/\[(.+?)\]\(([^() ]+)\)/g)].map(([, title = "", file = ""]) => ({ title, file }));
}

/** The titles of a test file as they stand in its source; `…` for a value that a template puts in. */
function titlesOf(file: string): Set<string> {
  const source = readFileSync(file, "utf8");
  const literals = source.matchAll(/\btest\(\s*(?:"((?:[^"\\]|\\.)*)"|`((?:[^`\\]|\\.)*)`)/g);
  return new Set(
    [...literals].map(([, text, template = ""]) => text ?? template.replace(/\$\{[^}]*\}/g, "…")),
  );
}

/** What is wrong with the page. */
function faultsOf(page: string): string[] {
  const rows = rowsOf(page);
  const known = new Set<string>(allMethods.map(({ path }) => path));
  const named = new Set(rows.map(({ path }) => path));
  const missing = [...known].filter((path) => !named.has(path)).map((path) => `${path} is missing`);
  return [...missing, ...rows.flatMap((row) => faultsOfRow(row, known))];
}

function faultsOfRow({ path, code, when, tests }: Row, known: ReadonlySet<string>): string[] {
  const row = `${path ?? "every method"} ${code}`;
  return [
    ...(path === undefined || known.has(path) ? [] : [`${row}: no such method`]),
    ...(codes.has(code) ? [] : [`${row}: no such code`]),
    ...(when === "" ? [`${row}: does not say when`] : []),
    ...(tests.length === 0 ? [`${row}: names no test`] : []),
    ...tests.filter((one) => !isThere(one)).map(({ title, file }) => `${row}: no test "${title}" in ${file}`),
  ];
}

function isThere({ title, file }: { title: string; file: string }): boolean {
  const path = join(docs, file);
  return file.endsWith(".test.ts") && existsSync(path) && titlesOf(path).has(title);
}

const page = readFileSync(join(docs, "api.md"), "utf8");

test("every method, its codes and their tests are on the page, and nothing else is", async (t) => {
  t.same(faultsOf(page), []);
  t.ok(rowsOf(page).length > allMethods.length);
});

test("each fault of the page is seen", async (t) => {
  const row =
    "| `Check` | OK | always | [codes have their standard names](../test/base/agent-error.test.ts) |";
  const faults = (changed: string) => faultsOf(`${page}\n## grpc.Health\n\n${changed}\n`);
  t.same(faults(row), []);
  t.match(faults(row.replace("Check", "Chuck")), ["grpc.Health/Chuck OK: no such method"]);
  t.match(faults(row.replace("OK", "FINE")), ["grpc.Health/Check FINE: no such code"]);
  t.match(faults(row.replace("always", "")), ["grpc.Health/Check OK: does not say when"]);
  t.match(faults(row.replace("codes", "cows")), [/no test "cows have/]);
  t.match(faults(row.replace("agent-error", "other")), [/no test .* in .*other.test.ts/]);
  t.match(faults(row.replace(/\[.*\)/, "none")), ["grpc.Health/Check OK: names no test"]);
  t.match(faultsOf(page.replaceAll("`GetMetrics`", "`GetMetric`")), [/GetMetrics is missing/]);
});

test("the page is found from the others", async (t) => {
  t.match(readFileSync(join(docs, "../README.md"), "utf8"), /\(docs\/api\.md\)/);
  t.match(readFileSync(join(docs, "architecture.md"), "utf8"), /\(api\.md\)/);
});
