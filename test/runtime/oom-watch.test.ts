import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "tap";
import { Cgroup } from "../../src/runtime/cgroup.ts";
import { OomWatch } from "../../src/runtime/oom-watch.ts";

/** A folder with a `memory.events` as the kernel writes it, which changes like any file under inotify. */
async function fakeGroup() {
  const root = await mkdtemp(join(tmpdir(), "oom-"));
  const events = (kills: number) =>
    writeFile(join(root, "memory.events"), `low 0\nhigh 0\nmax ${kills}\noom ${kills}\noom_kill ${kills}\n`);
  await events(0);
  return { root, events, cgroup: new Cgroup("/", root) };
}

test("every kill is told once, however many changes the kernel tells as one", async (t) => {
  const { root, events, cgroup } = await fakeGroup();
  t.teardown(() => rm(root, { recursive: true }));
  let kills = 0;
  const three = Promise.withResolvers<void>();
  const watch = new OomWatch(cgroup, () => {
    kills += 1;
    if (kills === 3) three.resolve();
  });
  t.teardown(() => watch.close());
  await events(1);
  await events(3);
  await three.promise;
  await events(3);
  t.equal(kills, 3);
});

test("without a memory controller nothing is watched and nothing fails", async (t) => {
  const watch = new OomWatch(new Cgroup("/none", "/nonexistent"), () => t.fail("told of a kill"));
  watch.close();
  watch.close();
});
