import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { test } from "tap";
import { runningProcess } from "./running-process.ts";

const never = new AbortController().signal;

test("all who wait for a process hear how it ended, before and after", async (t) => {
  const process = await runningProcess("cat; exit 7");
  const waits = [process.wait(never), process.wait(never)];
  t.notOk(process.collected);
  await process.closeStdin();
  const ended = { how: "exited", code: 7 };
  t.same(await Promise.all(waits), [ended, ended]);
  t.ok(process.collected);
  t.same([process.exit, await process.wait(never)], [ended, ended]);
});

test("a wait that is given up collects nothing, and leaves the others alone", async (t) => {
  const process = await runningProcess("exec cat");
  const leaving = new AbortController();
  const left = process.wait(leaving.signal);
  const stayed = process.wait(never);
  leaving.abort(new Error("gone"));
  await t.rejects(left, { message: "gone" });
  t.notOk(process.collected);
  await process.closeStdin();
  t.same(await stayed, { how: "exited", code: 0 });
  await t.rejects(process.wait(leaving.signal), { message: "gone" });
});

test("waits that were given up leave nothing on a process that lives on", async (t) => {
  const program = join(import.meta.dirname, "aborted-waits.ts");
  const grown = execFileSync(process.execPath, ["--expose-gc", program], { env: {}, encoding: "utf8" });
  t.match(grown, /^-?\d+\n$/);
  t.ok(Number(grown) < 2_000_000, `50,000 waits left ${grown.trim()} bytes`);
});
