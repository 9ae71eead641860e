import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "tap";
import { runForwarder, temporaryFolder } from "../forwarder/running.ts";

const docs = join(import.meta.dirname, "../../docs");
const page = (name: string) => readFileSync(join(docs, name), "utf8");

test("docs/metrics.md has every metric of the forwarder, and no other", async (t) => {
  const folder = temporaryFolder(t);
  const forwarder = await runForwarder(
    t,
    "--listen",
    `unix://${folder}/s`,
    "--file",
    `${folder}/spans.jsonl`,
  );
  const text = await forwarder.metrics();
  const names = [...text.matchAll(/^# TYPE (\S+) /gm)].map(([, name]) => name);
  const [, table = ""] = page("metrics.md").split("## The forwarder's");
  const told = [...table.matchAll(/`(kata_forwarder_\w+)`/g)].map(([, name]) => name);
  t.same(told.toSorted(), names.toSorted());
});

test("docs/forwarder.md shows every key of the configuration", async (t) => {
  const source = readFileSync(join(docs, "../src/forwarder/config-file.ts"), "utf8");
  const asked = source.matchAll(
    /\b(?:table|top)\.\w+\("([a-z_]+)"|(?:Of|oneOf)\(\w+, "([a-z_]+)"|"(\w+_file)"/g,
  );
  const keys = [...asked].map(([, one, two, three]) => one ?? two ?? three ?? "");
  t.ok(keys.length > 20, `${keys.length} keys`);
  const [, example = ""] = /```toml\n([^`]*)```/.exec(page("forwarder.md")) ?? [];
  t.same(
    keys.filter((key) => !new RegExp(`\\b${key}\\b`).test(example)),
    [],
  );
});
