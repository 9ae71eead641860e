import { spawn as spawnByNode } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { setTimeout as wait } from "node:timers/promises";
import { test } from "tap";
import { pid } from "../../src/base/ids.ts";
import type { Log } from "../../src/base/log.ts";
import { silentLog } from "../../src/base/log.ts";
import { Reaper } from "../../src/sys/reaper.ts";
import { run } from "../../src/sys/run.ts";
import { spawn } from "../../src/sys/spawn.ts";
import { becomeChildSubreaper } from "../../src/sys/subreaper.ts";

const env = { PATH: "/usr/bin:/bin" };

becomeChildSubreaper();

/**
 * Runs a shell that leaves a child behind and gives its pid. The orphan, ours from then on, runs the script after its
 * parent has gone: some shells would still wait for it in passing.
 */
async function orphan(script: string): Promise<number> {
  const request = {
    file: "sh",
    args: ["-c", `(while kill -0 $$; do sleep 0.01; done; ${script}) >/dev/null 2>&1 & echo $!`],
    env,
  };
  const { stdout } = await run(request, { timeoutMs: 60_000, maxOutputBytes: 100 });
  return Number(Buffer.from(stdout).toString());
}

/** The letter of its state in /proc, `Z` for a zombie; undefined when it is gone. */
function stateOf(processId: number): string | undefined {
  try {
    return /\) (.)/.exec(readFileSync(`/proc/${processId}/stat`, "utf8"))?.[1];
  } catch {
    return undefined;
  }
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await wait(5);
}

test("an orphan is reaped, and noted at debug only", async (t) => {
  const noted: unknown[] = [];
  const log: Log = { ...silentLog, debug: ({ pid }) => noted.push(pid) };
  using reaper = new Reaper(log);
  reaper.start();
  const left = await orphan("exit 3");
  await until(() => stateOf(left) === undefined);
  t.same(noted, [left]);
});

test("a zombie from before the start is reaped", async (t) => {
  const left = await orphan("exit 0");
  await until(() => stateOf(left) === "Z");
  using reaper = new Reaper(silentLog);
  reaper.start();
  await until(() => stateOf(left) === undefined);
  t.pass("gone");
});

test("without a reaper an orphan stays a zombie: the tests above prove something", async (t) => {
  const left = await orphan("exit 0");
  await until(() => stateOf(left) === "Z");
  await wait(50);
  t.equal(stateOf(left), "Z");
  using reaper = new Reaper(silentLog);
  reaper.start();
  await until(() => stateOf(left) === undefined);
});

test("an adopted process that has ended already still tells its exit", async (t) => {
  using reaper = new Reaper(silentLog);
  reaper.start();
  {
    using _held = reaper.expect();
    const left = await orphan("exit 42");
    await until(() => stateOf(left) === "Z");
    await wait(50);
    t.equal(stateOf(left), "Z", "it is kept while somebody expects it");
    t.same(await reaper.adopt(pid(left)).exited, { how: "exited", code: 42 });
    t.equal(stateOf(left), undefined);
  }
});

test("what was expected and not adopted is reaped afterwards", async (t) => {
  using reaper = new Reaper(silentLog);
  reaper.start();
  const held = reaper.expect();
  const left = await orphan("exit 0");
  await until(() => stateOf(left) === "Z");
  held[Symbol.dispose]();
  held[Symbol.dispose]();
  await until(() => stateOf(left) === undefined);
  t.pass("gone");
});

test("expectations that overlap for ever do not keep older strangers", async (t) => {
  using reaper = new Reaper(silentLog);
  reaper.start();
  let held = reaper.expect();
  const left = await orphan("exit 0");
  await until(() => {
    const next = reaper.expect();
    held[Symbol.dispose]();
    held = next;
    return stateOf(left) === undefined;
  });
  held[Symbol.dispose]();
  t.pass("gone");
});

test("a living process is adopted before its parent has gone", async (t) => {
  using reaper = new Reaper(silentLog);
  reaper.start();
  // cat waits for no child.
  const script = "(read line; exit 9) <&3 & echo $!; exec cat <&4";
  const parent = spawnByNode("sh", ["-c", script], { stdio: ["ignore", "pipe", "inherit", "pipe", "pipe"] });
  const closed = once(parent, "close");
  const [line] = (await once(parent.stdout as NodeJS.ReadableStream, "data")) as [Buffer];
  const adopted = reaper.adopt(pid(Number(line.toString())));
  t.equal(reaper.adopt(adopted.pid), adopted, "a second adoption is the same child");
  // It ends while its parent lives and does not wait; then the parent ends.
  (parent.stdio[3] as NodeJS.WritableStream).end("\n");
  await until(() => stateOf(adopted.pid) === "Z");
  (parent.stdio[4] as NodeJS.WritableStream).end();
  t.same(await adopted.exited, { how: "exited", code: 9 });
  await closed;
});

test("a process that another parent has waited for counts as exited with 255", async (t) => {
  using reaper = new Reaper(silentLog);
  const parent = spawnByNode("sh", ["-c", "sleep 600 & echo $!; wait $!; exit 5"], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const ended = once(parent, "exit");
  const [line] = (await once(parent.stdout as NodeJS.ReadableStream, "data")) as [Buffer];
  const adopted = reaper.adopt(pid(Number(line.toString())));
  t.equal(adopted.signal(9), true);
  t.same(await adopted.exited, { how: "exited", code: 255 });
  t.same(await ended, [5, null]);
});

test("to adopt nobody is ESRCH", async (t) => {
  using reaper = new Reaper(silentLog);
  const child = spawn({ file: "true", args: [], env, stdio: ["null", "null", "null"] });
  await child.exited;
  t.throws(() => reaper.adopt(child.pid), { code: "ESRCH" });
});

// agent-api 6.3
test("a zombie that Node has not heard of yet is left to it", async (t) => {
  using reaper = new Reaper(silentLog);
  const child = spawnByNode("sh", ["-c", "exit 5"]);
  const exit = once(child, "exit");
  // Without a turn of the loop: Node cannot have seen the signal.
  while (stateOf(child.pid ?? 0) !== "Z");
  reaper.start();
  // So long that a timer of the second look is due before the loop polls for the signal.
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 50);
  t.same(await exit, [5, null]);
});

// agent-api 6.3
test("children of Node keep their status while orphans die around them", async (t) => {
  using reaper = new Reaper(silentLog);
  reaper.start();
  const statuses: number[] = [];
  const left: number[] = [];
  for (let round = 0; round < 10; round++) {
    const works = Array.from({ length: 10 }, async (_, index) => {
      const [code] = (await once(spawnByNode("sh", ["-c", `exit ${round * 10 + index}`]), "exit")) as [
        number,
      ];
      statuses.push(code);
    });
    works.push(orphan("exit 1").then((process) => void left.push(process)));
    // A turn that takes long: signals and timers come due together, in an order that favours a theft.
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 15);
    await Promise.all(works);
  }
  t.same(
    statuses.sort((a, b) => a - b),
    Array.from({ length: 100 }, (_, index) => index),
  );
  await until(() => left.every((process) => stateOf(process) === undefined));
});

test("many orphans at once are all reaped", async (t) => {
  using reaper = new Reaper(silentLog);
  reaper.start();
  const left = await Promise.all(Array.from({ length: 20 }, () => orphan("exit 0")));
  await until(() => left.every((process) => stateOf(process) === undefined));
  t.pass("gone");
});
