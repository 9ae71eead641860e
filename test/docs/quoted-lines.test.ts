import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "tap";
import { readPage } from "../../scripts/docs/page.ts";

/**
 * docs/troubleshooting.md quotes what our programs print: the words between backticks stand in a source, and metrics are
 * there. `…` stands for what a program puts in.
 */

const root = join(import.meta.dirname, "../..");
const sources = globSync(["src/**/*.ts", "src/**/*.tsx", "scripts/*.sh"], { cwd: root }).map((file) =>
  readFileSync(join(root, file), "utf8"),
);
const programs = /^(agentctl|kata-agent|kata-trace-forwarder) |^--/;
/** The forwarder's metrics are registered without what they all begin with. */
const forwarderMetric = /^kata_forwarder_/;

/** What is quoted and stands nowhere. */
function unknownQuotes(text: string): string[] {
  const quotes = readPage(text).inlines.map((inline) => inline.text);
  const lines = quotes.filter((quote) => quote.includes(" ") && !programs.test(quote));
  const metrics = quotes.filter((quote) => /^kata_/.test(quote)).map((quote) => quote.split("{", 1)[0] ?? "");
  return [...lines.filter((line) => !stands(line)), ...metrics.filter((name) => !isMetric(name))];
}

function stands(quote: string): boolean {
  const pieces = quote.split("…").map((piece) => piece.trim());
  return sources.some((source) => pieces.every((piece) => source.includes(piece)));
}

function isMetric(name: string): boolean {
  const own = name.replace(forwarderMetric, "");
  return sources.some((source) => source.includes(`"${own}"`) || source.includes(`"${name}"`));
}

const page = readFileSync(join(root, "docs/troubleshooting.md"), "utf8");

test("what the page quotes is what our programs print", async (t) => {
  t.same(unknownQuotes(page), []);
});

test("a line or a metric that no program prints is seen", async (t) => {
  t.same(unknownQuotes("`spans lost at the end` and `kata_forwarder_spans_sent_total`"), []);
  t.same(unknownQuotes("`spans lost at the beginning`"), ["spans lost at the beginning"]);
  t.same(unknownQuotes('`kata_forwarder_spans_lost_total{reason="x"}`'), ["kata_forwarder_spans_lost_total"]);
});
