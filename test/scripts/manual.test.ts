import { spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "tap";
import { manualPages } from "../../scripts/package/manual.ts";
import { sentence } from "../../scripts/package/roff.ts";
import { runAgentctl } from "../fakes/fake-host.ts";

const pages = manualPages({ source: "kata-agent-node 1.2.3", day: "2026-01-02" });
const textOf = (name: string): string => pages.find((page) => page.name === name)?.text ?? "";
const has = (tool: string): boolean => spawnSync(tool, ["--version"]).error === undefined;
const judges: readonly (readonly [name: string, args: readonly string[]])[] = [
  ["groff", ["-man", "-Tutf8", "-ww", "-z"]],
  ["mandoc", ["-T", "lint", "-W", "warning"]],
];

test("there is a page for each program", (t) => {
  t.same(
    pages.map(({ kind, name }) => `${kind}/${name}`),
    ["man1/agentctl.1", "man8/kata-trace-forwarder.8", "man8/kata-agent.8"],
  );
  t.end();
});

test("every command of agentctl has its place and its examples", async (t) => {
  const { stdout: help } = await runAgentctl(["--help"]);
  const page = textOf("agentctl.1");
  const names = [...help.matchAll(/^ {2}([a-z-]+) \[options\]/gm)].map(([, name]) => name ?? "");
  t.ok(names.length > 20);
  for (const name of names) t.ok(page.includes(`\n.SS "${name.replaceAll("-", "\\-")}"\n`), name);
  t.match(page, /^\$ agentctl \\-\\-addr/m);
});

test("the agent's page has what the kernel's command line can say", (t) => {
  t.match(textOf("kata-agent.8"), /\n\.TP\n\\fBagent\.trace\\fR\n/);
  t.notMatch(textOf("kata-agent.8"), /\]\(/, "no links of the page");
  t.end();
});

for (const [judge, args] of judges) {
  const skip = has(judge) ? false : `${judge} is not installed`;
  test(`${judge} finds nothing wrong in them`, { skip }, (t) => {
    for (const { name, text } of pages) {
      const file = join(t.testdir(), name);
      writeFileSync(file, text);
      const { status, stdout, stderr } = spawnSync(judge, [...args, file], { encoding: "utf8" });
      t.same({ status, said: stdout + stderr }, { status: 0, said: "" }, name);
    }
    t.end();
  });
}

test("a text of the help becomes a sentence, an address stays one", (t) => {
  t.equal(sentence("print JSON"), "Print JSON.");
  t.equal(sentence("unix:///path, or"), "unix:///path, or.");
  t.end();
});
