import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "tap";
import { Code, codeName } from "../../src/base/code.ts";
import { allMethods } from "../../src/gen/methods.ts";

/**
 * docs/api.md cannot go stale: it names every method, no code but the standard ones, and no test that is not there. The
 * tests of what callers depend on name the paragraph of the reference.
 */

const docs = join(import.meta.dirname, "../../docs");
const codes = new Set(Object.values(Code).map(codeName));

type Row = {
  /** `service/method`; undefined for what holds for every method. */
  readonly path: string | undefined;
  readonly code: string;
  readonly when: string;
  readonly tests: readonly { readonly title: string; readonly file: string }[];
};

const promises = "What callers depend on";

/** The rows of the page's tables of methods. The heading above a table is the service. */
function rowsOf(page: string): Row[] {
  let service = "";
  const rows: Row[] = [];
  for (const line of page.split("\n")) {
    if (line.startsWith("## ")) service = line.slice(3);
    const cells = line.split(" | ").map((cell) => cell.replace(/^\| | \|$/g, ""));
    if (service === promises || !line.startsWith("| ") || cells.includes("code")) continue;
    const [tests = "", when = "", code = "", method] = cells.reverse();
    const path = method === undefined ? undefined : `${service}/${method.replaceAll("`", "")}`;
    rows.push({ path, code, when, tests: linksOf(tests) });
  }
  return rows;
}

function linksOf(cell: string): { title: string; file: string }[] {
  return [...cell.matchAll(/\[(.+?)\]\(([^() ]+)\)/g)].map(([, title = "", file = ""]) => ({ title, file }));
}

/** The rows of the last table: a paragraph of the reference, and the tests that hold it. */
function promisesOf(page: string): { paragraph: string; tests: Row["tests"] }[] {
  const section = page.slice(page.indexOf(`## ${promises}`));
  const rows = section.matchAll(/^\| (\d[\d.]*) \| [^|]+ \| (.*) \|$/gm);
  return [...rows].map(([, paragraph = "", tests = ""]) => ({ paragraph, tests: linksOf(tests) }));
}

/**
 * The tests of a file by their titles as they stand in its source; `…` for a value that a template puts in. With each
 * what names it: the title and the comment before it.
 */
function testsOf(file: string): Map<string, string> {
  const source = readFileSync(file, "utf8");
  const calls = source.matchAll(
    /((?:^[ \t]*(?:\/\/|\/?\*).*\n)*)^.*?\btest\(\s*(?:"((?:[^"\\]|\\.)*)"|`((?:[^`\\]|\\.)*)`)/gm,
  );
  return new Map(
    [...calls].map(([, comment = "", text, template = ""]) => {
      const title = text ?? template.replace(/\$\{[^}]*\}/g, "…");
      return [title, comment + title];
    }),
  );
}

/** What is wrong with the page. */
function faultsOf(page: string): string[] {
  const rows = rowsOf(page);
  const known = new Set<string>(allMethods.map(({ path }) => path));
  const named = new Set(rows.map(({ path }) => path));
  const missing = [...known].filter((path) => !named.has(path)).map((path) => `${path} is missing`);
  return [
    ...missing,
    ...rows.flatMap((row) => faultsOfRow(row, known)),
    ...promisesOf(page).flatMap(faultsOfPromise),
  ];
}

function faultsOfPromise({ paragraph, tests }: { paragraph: string; tests: Row["tests"] }): string[] {
  const number = new RegExp(`(?<![\\d.])${paragraph.replaceAll(".", "\\.")}(?!\\d|\\.\\d)`);
  return [
    ...(tests.length === 0 ? [`${paragraph}: names no test`] : []),
    ...tests
      .filter((one) => !number.test(namingOf(one) ?? ""))
      .map(({ title, file }) => `${paragraph}: no test "${title}" in ${file} that names it`),
  ];
}

function faultsOfRow({ path, code, when, tests }: Row, known: ReadonlySet<string>): string[] {
  const row = `${path ?? "every method"} ${code}`;
  return [
    ...(path === undefined || known.has(path) ? [] : [`${row}: no such method`]),
    ...(codes.has(code) ? [] : [`${row}: no such code`]),
    ...(when === "" ? [`${row}: does not say when`] : []),
    ...(tests.length === 0 ? [`${row}: names no test`] : []),
    ...tests
      .filter((one) => namingOf(one) === undefined)
      .map(({ title, file }) => `${row}: no test "${title}" in ${file}`),
  ];
}

/** What names a test; undefined when there is none. */
function namingOf({ title, file }: { title: string; file: string }): string | undefined {
  const path = join(docs, file);
  return file.endsWith(".test.ts") && existsSync(path) ? testsOf(path).get(title) : undefined;
}

const page = readFileSync(join(docs, "api.md"), "utf8");

test("every method, its codes and their tests are on the page, and nothing else is", async (t) => {
  t.same(faultsOf(page), []);
  t.ok(rowsOf(page).length > allMethods.length);
  t.ok(promisesOf(page).length > 50);
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
  const promise = "| 10.3 | so | [codes have their standard names](../test/base/agent-error.test.ts) |";
  const broken = (changed: string) => faultsOf(`${page}${changed}\n`);
  t.match(broken(promise), [/10.3: no test "codes have .* that names it/]);
  t.match(broken("| 10.3 | so | none |"), ["10.3: names no test"]);
  t.match(faultsOf(page.replaceAll("`GetMetrics`", "`GetMetric`")), [/GetMetrics is missing/]);
});

test("the page is found from the others", async (t) => {
  t.match(readFileSync(join(docs, "../README.md"), "utf8"), /\(docs\/api\.md\)/);
  t.match(readFileSync(join(docs, "architecture.md"), "utf8"), /\(api\.md\)/);
});
