import { existsSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import t from "tap";
import { RotatingFile } from "../../../src/forwarder/out/rotating-file.ts";
import { temporaryFolder } from "../running.ts";

/** What stands in the file and in those set aside, newest first. */
const all = (path: string) =>
  ["", ".1", ".2", ".3"]
    .map((suffix) => path + suffix)
    .filter((name) => existsSync(name))
    .map((name) => readFileSync(name, "utf8"));

t.test("a file that would grow beyond its limit is set aside, the oldest goes", async (t) => {
  const path = join(temporaryFolder(t), "spans.jsonl");
  const file = await RotatingFile.open(path, 8, 2);
  for (const line of ["aaa\n", "bbb\n", "ccc\n"]) await file.append(line);
  t.same(all(path), ["ccc\n", "aaa\nbbb\n"], "no line is parted");
  await file.append("longer than all\n");
  t.same(
    all(path),
    ["longer than all\n", "ccc\n", "aaa\nbbb\n"],
    "a line that fits nowhere has a file of its own",
  );
  await file.append("ddd\n");
  t.same(all(path), ["ddd\n", "longer than all\n", "ccc\n"]);
  t.equal(statSync(path).mode & 0o777, 0o600);
  await file.close();
});

t.test("what stood in the file before counts, and stays", async (t) => {
  const path = join(temporaryFolder(t), "spans.jsonl");
  writeFileSync(path, "before\n");
  const file = await RotatingFile.open(path, 8, 1);
  await file.append("after\n");
  t.same(all(path), ["after\n", "before\n"]);
  await file.close();
});

t.test("with none to keep the file begins anew", async (t) => {
  const path = join(temporaryFolder(t), "spans.jsonl");
  const file = await RotatingFile.open(path, 4, 0);
  for (const line of ["aaa\n", "bbb\n"]) await file.append(line);
  t.same(all(path), ["bbb\n"]);
  await file.close();
});
