import { appendFileSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import t from "tap";
import { Spool } from "../../../src/forwarder/out/spool.ts";
import { Random } from "../../fakes/random.ts";
import { temporaryFolder } from "../running.ts";

const mib = 1024 * 1024;
const exportNamed = (name: string, bytes = 10) => ({
  body: Buffer.from(name.padEnd(bytes, ".")),
  spans: 2,
  origin: `sandbox:${name}`,
});
const names = async (spool: Spool) =>
  (await spool.peek(100 * mib)).map(({ body }) => Buffer.from(body).toString().replace(/\.+$/, ""));

t.test("what waits is there after a restart, what was delivered is not", async (t) => {
  const folder = join(temporaryFolder(t), "spool");
  const first = await Spool.open(folder, mib);
  for (const name of ["a", "b", "c"]) await first.push(exportNamed(name));
  await first.drop(1);
  await first.close();
  t.equal(statSync(folder).mode & 0o777, 0o700);
  const second = await Spool.open(folder, mib);
  t.same(await names(second), ["b", "c"]);
  t.match(second, { spans: 4, bytes: 20, length: 2 });
  t.equal((await second.peek(100))[0]?.origin, "sandbox:b");
  await second.push(exportNamed("d"));
  await second.drop(2);
  await second.close();
  const third = await Spool.open(folder, mib);
  t.same(await names(third), ["d"]);
  await third.close();
});

t.test("it needs no close: what push has answered for is there", async (t) => {
  const folder = temporaryFolder(t);
  const killed = await Spool.open(folder, mib);
  await Promise.all(["a", "b", "c"].map((name) => killed.push(exportNamed(name))));
  const next = await Spool.open(folder, mib);
  t.same(await names(next), ["a", "b", "c"]);
  await next.close();
  await killed.close();
});

t.test("what an agent sends again after a restart is kept once, also when it was delivered", async (t) => {
  const folder = temporaryFolder(t);
  const numbered = (sequence: number, instance = "run-1", origin = "sandbox:a") => ({
    ...{ body: Buffer.from(`${instance}/${sequence}`), spans: 1, origin },
    batch: { instance, sequence },
  });
  const killed = await Spool.open(folder, mib);
  for (const sequence of [7, 8]) await killed.push(numbered(sequence));
  await killed.drop(2);
  await killed.push(numbered(9));
  const next = await Spool.open(folder, mib);
  for (const sequence of [8, 9, 10]) await next.push(numbered(sequence));
  await next.push(numbered(9, "run-2"));
  await next.push({ ...numbered(9, "run-1", "sandbox:b"), body: Buffer.from("of another guest") });
  t.same(await names(next), ["run-1/9", "run-1/10", "run-2/9", "of another guest"]);
  await next.close();
  await killed.close();
});

t.test("a spool that waits for the disk keeps the same", async (t) => {
  const folder = temporaryFolder(t);
  const first = await Spool.open(folder, mib, true);
  await first.push(exportNamed("a"));
  const second = await Spool.open(folder, mib, true);
  t.same(await names(second), ["a"]);
  await second.close();
  await first.close();
});

t.test("files that were delivered are removed", async (t) => {
  const folder = temporaryFolder(t);
  const spool = await Spool.open(folder, 100 * mib);
  for (let i = 0; i < 10; i++) await spool.push(exportNamed(`${i}`, 3 * mib));
  t.ok(files(folder).length >= 5);
  await spool.drop(10);
  t.equal(files(folder).length, 1, "all but the one that is written to");
  t.equal(spool.bytes, 0);
  await spool.close();
});

t.test("a record that was cut short or spoilt costs the rest of its file, and nothing before", async (t) => {
  const random = new Random(3);
  for (let run = 0; run < 50; run++) {
    const folder = temporaryFolder(t);
    const spool = await Spool.open(folder, mib);
    for (const name of ["a", "b", "c", "d"]) await spool.push(exportNamed(name, 50));
    await spool.close();
    const path = join(folder, files(folder)[0] as string);
    const bytes = readFileSync(path);
    bytes[random.below(bytes.length)] = (bytes[0] as number) ^ (1 + random.below(255));
    writeFileSync(path, run % 2 === 0 ? bytes : bytes.subarray(0, random.below(bytes.length)));
    const again = await Spool.open(folder, mib);
    const found = await names(again);
    t.same(found, ["a", "b", "c", "d"].slice(0, found.length));
    await again.push(exportNamed("e", 50));
    t.equal((await names(again)).at(-1), "e");
    await again.close();
  }
});

t.test("a foreign file does not disturb it, a spoilt position sends again", async (t) => {
  const folder = temporaryFolder(t);
  const spool = await Spool.open(folder, mib);
  for (const name of ["a", "b"]) await spool.push(exportNamed(name));
  await spool.drop(1);
  await spool.close();
  writeFileSync(join(folder, "position"), "nonsense!!!!");
  appendFileSync(join(folder, "notes.txt"), "x");
  const again = await Spool.open(folder, mib);
  t.same(await names(again), ["a", "b"]);
  await again.close();
});

t.test("it has an end, and one origin gets no more than half", async (t) => {
  const spool = await Spool.open(temporaryFolder(t), 1000);
  t.ok(spool.hasRoom(5000, "x"), "an empty one takes anything");
  await spool.push({ ...exportNamed("x", 400), origin: "x" });
  t.notOk(spool.hasRoom(200, "x"));
  t.ok(spool.hasRoom(200, "y"));
  t.notOk(spool.hasRoom(700, "y"));
  await spool.close();
});

function files(folder: string): string[] {
  return readdirSync(folder).filter((name) => name.endsWith(".spool"));
}
