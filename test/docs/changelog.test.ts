import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "tap";

/** CHANGELOG.md has the form of Keep a Changelog, so that a release is a matter of one heading. */

const kinds = ["Added", "Changed", "Deprecated", "Removed", "Fixed", "Security"];

/** What is wrong with its form. */
function formFaults(text: string): string[] {
  const headings = [...text.matchAll(/^(##+) (.*)$/gm)].map(([, level = "", title = ""]) => ({
    level,
    title,
  }));
  const releases = headings.filter(({ level }) => level === "##").map(({ title }) => title);
  const sections = text.split(/^## .*$/m).slice(1);
  return [
    ...(releases[0] === "Unreleased" ? [] : ["does not begin with Unreleased"]),
    ...releases
      .slice(1)
      .filter((title) => !/^\d+\.\d+\.\d+ - \d{4}-\d{2}-\d{2}$/.test(title))
      .map((title) => `${title} is no release`),
    ...sections.flatMap((section) => sectionFaults(section)),
    ...headings.filter(({ level }) => level.length > 3).map(({ title }) => `${title} is too deep`),
  ];
}

/** The kinds of one release stand in their order, each once, and hold nothing but items. */
function sectionFaults(section: string): string[] {
  const found = [...section.matchAll(/^### (.*)$/gm)].map(([, kind = ""]) => kind);
  const wanted = kinds.filter((kind) => found.includes(kind));
  const strays = section.split("\n").filter((line) => line !== "" && !/^(### |- | {2}\S)/.test(line));
  return [
    ...(found.join() === wanted.join() ? [] : [`kinds are ${found.join(", ")}, not ${wanted.join(", ")}`]),
    ...strays.map((line) => `no item: ${line}`),
  ];
}

const text = readFileSync(join(import.meta.dirname, "../../CHANGELOG.md"), "utf8");

test("the changelog begins with what is not released, and has known kinds of changes in their order", async (t) => {
  t.same(formFaults(text), []);
});

test("a changelog that has lost its form is seen", async (t) => {
  const good =
    "# Changelog\n\n## Unreleased\n\n### Added\n\n- One.\n\n## 0.1.0 - 2026-11-21\n\n### Fixed\n\n- Two,\n  long.\n";
  t.same(formFaults(good), []);
  t.same(formFaults(good.replace("## Unreleased", "## Next")), ["does not begin with Unreleased"]);
  t.same(formFaults(good.replace("0.1.0 -", "0.1 -")), ["0.1 - 2026-11-21 is no release"]);
  t.same(formFaults(good.replace("### Added", "### Fixed\n\n### Added")), [
    "kinds are Fixed, Added, not Added, Fixed",
  ]);
  t.same(formFaults(good.replace("- One.", "- One.\nlost")), ["no item: lost"]);
});
