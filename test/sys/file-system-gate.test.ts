import { type Test, test } from "tap";
import { Code } from "../../src/base/code.ts";
import { FileSystemGate, type GateLimits } from "../../src/sys/file-system-gate.ts";

/** A gate where the file system of a path is its first name, and work that ends when the test says so. */
function gateOf(limits: Partial<GateLimits> = {}) {
  const asked: string[] = [];
  const gate = new FileSystemGate({ each: 2, all: 5, waitMs: 60_000, ...limits }, (place) => {
    asked.push(place);
    return place.split("/")[1] ?? "";
  });
  const begun: string[] = [];
  const begin = (place: string) => {
    const end = Promise.withResolvers<string>();
    const done = gate.run(place, () => {
      begun.push(place);
      return end.promise;
    });
    return { done, end: () => end.resolve(place) };
  };
  return { gate, begun, begin, asked };
}

async function told(t: Test, work: Promise<unknown>): Promise<void> {
  await t.rejects(work, { code: Code.internal, message: "ETIMEDOUT: a file system does not answer" });
}

test("work that hangs on one file system holds so many threads and no more", async (t) => {
  const { begin, begun } = gateOf();
  const dead = ["/dead/a", "/dead/b", "/dead/c", "/dead/d"].map(begin);
  t.same(begun, ["/dead/a", "/dead/b"]);
  const other = begin("/live/a");
  t.same(begun.at(-1), "/live/a", "another file system has its own");
  other.end();
  t.equal(await other.done, "/live/a");
  for (const piece of dead) piece.end();
  t.same(await Promise.all(dead.map(({ done }) => done)), ["/dead/a", "/dead/b", "/dead/c", "/dead/d"]);
  t.same(begun.slice(3), ["/dead/c", "/dead/d"], "the others have had their turn in order");
});

test("what has no turn in time is told so, and its work is never begun", async (t) => {
  const { begin, begun } = gateOf({ waitMs: 1 });
  const held = [begin("/dead/a"), begin("/dead/b")];
  await told(t, begin("/dead/c").done);
  for (const piece of held) piece.end();
  await Promise.all(held.map(({ done }) => done));
  t.same(begun, ["/dead/a", "/dead/b"]);
  const next = [begin("/dead/d"), begin("/dead/e")];
  t.same(begun.slice(2), ["/dead/d", "/dead/e"], "whoever gave up holds no place");
  for (const piece of next) piece.end();
  await Promise.all(next.map(({ done }) => done));
});

test("many file systems that hang leave threads for the rest", async (t) => {
  const { begin, begun } = gateOf();
  const names = ["a", "b", "c", "d"].flatMap((name) => [`/${name}/1`, `/${name}/2`]);
  const work = names.map(begin);
  t.same(begun, ["/a/1", "/a/2", "/b/1", "/b/2", "/c/1"]);
  for (const piece of work) piece.end();
  await Promise.all(work.map(({ done }) => done));
});

test("work that fails gives its place back, and little work asks for no file system", async (t) => {
  const { gate, asked } = gateOf({ each: 1 });
  for (let round = 0; round < 3; round += 1) {
    await t.rejects(
      gate.run("/x", () => Promise.reject(new Error("EIO"))),
      /EIO/,
    );
  }
  t.same(asked, []);
});
