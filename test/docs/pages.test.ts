import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "tap";
import { readPage } from "../../scripts/docs/page.ts";
import { allPages, pageFaults } from "../../scripts/docs/page-faults.ts";
import { wordFaults } from "./command-words.ts";
import { missingLines, printedBlocks, scriptOf } from "./run-page.ts";

const root = join(import.meta.dirname, "../..");
const pages = allPages();

for (const path of pages) {
  const text = readFileSync(join(root, path), "utf8");
  const page = readPage(text);

  test(`${path} says what its blocks are, and its links lead somewhere`, async (t) => {
    t.same(pageFaults(path, text), []);
  });

  test(`${path} names programs, commands and flags that there are`, async (t) => {
    const shown = page.blocks.filter(({ language }) => language === "sh");
    for (const { text: commands, line } of shown) t.same(await wordFaults(commands), [], `line ${line}`);
    for (const { text: command, line } of page.inlines) t.same(await wordFaults(command), [], `line ${line}`);
  });
}

const fenced = (language: string, text: string, mark = "") =>
  `# A page\n\n${mark}\n\`\`\`${language}\n${text}\n\`\`\`\n`;

test("what a page leaves unsaid is a fault", async (t) => {
  const faults = (text: string) => pageFaults("docs/new.md", text);
  t.same(faults(fenced("sh", "true")), []);
  t.same(faults(fenced("sh", "true", "<!-- not run: needs a cluster -->")), []);
  t.match(faults(fenced("sh", "true", "<!-- not run -->")), [/^docs\/new.md:4: .*not run: WHY/]);
  t.same(faults(fenced("sh", "agentctl --addr vsock://3:1024 check", "<!-- run in: node -->")), []);
  t.match(faults(fenced("sh", "true", "<!-- run in: space -->")), [/run in: node/]);
  t.match(faults(fenced("sh", "if true")), [/no good shell/]);
  t.match(faults(fenced("sh", "$ true")), [/no prompt/]);
  t.match(faults(fenced("sh", "make coffee")), [/make has no verb coffee/]);
  t.match(faults(fenced("sh", "agentctl --addr vsock://3:1024 check")), [/AF_VSOCK/]);
  t.match(faults(fenced("", "true")), [/a block of no language/]);
  t.match(faults("# A page\n\n    make demo\n"), [/:3: an indented block/]);
  t.same(faults("- an item\n\n    of two paragraphs\n"), []);
  t.match(faults(fenced("toml", "a = 1")), [/read by/]);
  t.match(faults(fenced("toml", "a = ", "<!-- read by: somebody -->")), [/no good toml/]);
  t.match(faults(fenced("yaml", "a: [", "<!-- read by: somebody -->")), [/no good yaml/]);
  t.match(faults(fenced("json", "{")), [/no good json/]);
  t.match(faults("[a page](none.md)"), [/none.md, which is not there/]);
  t.match(faults("[a page](api.md#none)"), [/no such heading/]);
  t.match(faults("# One, two\n[below](#one-two) and [not](#three)"), [/:2: a link to #three/]);
});

test("a program, a command or a flag that is not there is a fault", async (t) => {
  t.same(await wordFaults("sudo agentctl --addr unix:///a trace start --collated && ls --nothing"), []);
  t.same(await wordFaults("KATA_AGENT_TRACING=true build/kata-agent --config a.toml &"), []);
  t.same(await wordFaults("agentctl trace start --isolated"), [
    "agentctl trace start has no flag --isolated",
  ]);
  t.same(await wordFaults("agentctl run --json /root sh -c true"), []);
  t.same(await wordFaults("agentctl exec --frob one sh -c true"), ["agentctl exec has no flag --frob"]);
  t.same(await wordFaults("agentctl trance"), ["agentctl has no command trance"]);
  t.same(await wordFaults("kata-trace-forwarder --watch \\\n --foo=1"), [
    "kata-trace-forwarder has no flag --foo",
  ]);
});

test("commands that are not marked are run, in their order, with the hidden ones between them", async (t) => {
  const [one, two] = [fenced("sh", "one"), fenced("sh", "two", "<!-- not run: no -->")];
  const hidden = "\n<!-- before:\nzero\n-->\n";
  t.match(scriptOf(readPage(hidden + one + two + fenced("text", "three"))), /^: "line 2"\nzero\n.*\none$/s);
  t.equal(scriptOf(readPage(hidden + two)), "");
});

test("commands that need a cluster are run where there is one, and the others with them", async (t) => {
  const [one, two] = [fenced("sh", "one"), fenced("sh", "two", "<!-- run in: cluster -->")];
  const printed = fenced("text", "three", "<!-- printed -->");
  const page = readPage(`<!-- before in cluster: zero -->\n${one}${two}${printed}`);
  t.equal(scriptOf(page), ': "line 5"\none');
  t.match(scriptOf(page, "cluster"), /^: "line 1"\nzero\n.*\none\n.*\ntwo$/s);
  t.equal(scriptOf(readPage(one), "cluster"), "");
  t.same(printedBlocks(page), []);
  t.match(printedBlocks(page, "cluster"), [{ text: "three" }]);
  t.match(pageFaults("docs/new.md", fenced("sh", "true", "<!-- run in: space -->")), [/not run: WHY/]);
});

test("commands that need a node are run there alone", async (t) => {
  const [one, two] = [fenced("sh", "one"), fenced("sh", "two", "<!-- run in: node -->")];
  const printed = fenced("text", "three", "<!-- printed -->");
  const page = readPage(`<!-- before in node: zero -->\n${one}${two}${printed}`);
  t.equal(scriptOf(page), ': "line 5"\none');
  t.match(scriptOf(page, "node"), /^: "line 1"\nzero\n: "line \d+"\ntwo$/);
  t.equal(scriptOf(readPage(one), "node"), "");
  t.same(printedBlocks(page), []);
  t.match(printedBlocks(page, "node"), [{ text: "three" }]);
});

test("what a page says is printed is looked for, but for numbers, ids and bars", async (t) => {
  const printed =
    "trace 12d64b597ccdeb90 · 29 spans · 552 ms\n├─ crun create   62.1 ms  ··██··  pid=7 and more\n";
  t.same(missingLines("trace 0123456789abcdef · 3 spans · 1.2 s\n├─ crun create 9 µs  █ …", printed), []);
  t.same(missingLines("…\n├─ crun start 9 µs  █ …", printed), ["├─ crun start 9 µs  █ …"]);
});
