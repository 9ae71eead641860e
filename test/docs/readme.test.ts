import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { test } from "tap";
import { allPages, pagesOffTheMap } from "../../scripts/docs/page-faults.ts";

const root = join(import.meta.dirname, "../..");
const readme = readFileSync(join(root, "README.md"), "utf8");

/** Cells of the rows of the first table behind a heading, or the n-th. */
function tableOf(heading: string, n = 0): string[][] {
  const [, section = ""] = readme.split(`## ${heading}\n`);
  const tables = section.split(/\n\n/).filter((block) => block.startsWith("| "));
  const [, , ...rows] = tables[n]?.split("\n") ?? [];
  return rows.map((row) => row.split(" | ").map((cell) => cell.replace(/^\| | \|$/g, "")));
}

/** Figures with their units, such as `21.8`, `31.1 ms`. */
const figures = (text: string): string[] => text.match(/\d[\d,.]*/g) ?? [];

test("the figures beside Kata's agent are those of the measured table", async (t) => {
  const measured = new Set(tableOf("Measured").flatMap((row) => figures(row.slice(1).join(" "))));
  const beside = tableOf("Beside Kata's own agent", 1);
  t.ok(beside.length > 10);
  for (const [what = "", , ours = ""] of beside)
    for (const figure of figures(ours)) t.ok(measured.has(figure), `${what}: ${figure}`);
});

test("the picture of a trace is there, and of a modest size", async (t) => {
  t.match(readme, "](docs/trace.png)");
  t.ok(statSync(join(root, "docs/trace.png")).size < 256 * 1024);
});

test("every page is on the map", async (t) => {
  const pages = allPages();
  t.same(pagesOffTheMap(pages, readme), []);
  t.same(pagesOffTheMap(["docs/new.md"], readme), ["docs/new.md: the map in README.md does not lead to it"]);
});
