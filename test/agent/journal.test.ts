import { execFileSync } from "node:child_process";
import { closeSync, openSync, writeSync } from "node:fs";
import { type Test, test } from "tap";
import { Journal } from "../../src/agent/journal.ts";
import { silentLog } from "../../src/base/log.ts";
import { eventually } from "../fakes/real-agent.ts";
import { socketFolder } from "../vsock/socket-folder.ts";

/** A journal whose kernel is a FIFO, and what it hands on. */
function openedJournal(t: Test, level: "info" | "debug" = "info") {
  const path = `${socketFolder(t)}/kmsg`;
  execFileSync("mkfifo", [path]);
  // Open for both, so that neither side waits for the other and there is no end.
  const kernel = openSync(path, "r+");
  t.teardown(() => closeSync(kernel));
  const lines: Record<string, unknown>[] = [];
  const warned: unknown[] = [];
  const target = { write: (line: string) => void lines.push(JSON.parse(line)), flush() {}, async close() {} };
  const log = { ...silentLog, warn: (fields: object) => void warned.push(fields) };
  const journal = new Journal({ target, level, log }, path);
  t.teardown(() => journal.close());
  return { journal, lines, warned, print: (text: string) => void writeSync(kernel, `${text}\n`) };
}

// agent-api 6.6
test("lines of the kernel and of processes become lines of the log's form", async (t) => {
  const { lines, print } = openedJournal(t);
  print("3,7,1000,-;EXT4-fs error: bad");
  print("30,8,1001,-;systemd[1]: Started the agent");
  print("12,9,1002,-;no writer here");
  t.ok(await eventually(() => lines.length === 3));
  const [kernel, systemd, nobody] = lines;
  t.match(kernel, { level: "ERRO", name: "kernel", pid: "0", subsystem: "kernel", source: "journal" });
  t.equal(kernel?.["msg"], "EXT4-fs error: bad");
  t.match(systemd, {
    level: "INFO",
    name: "systemd",
    pid: "1",
    subsystem: "guest",
    msg: "Started the agent",
  });
  t.match(nobody, { level: "WARN", name: "unknown", pid: "0", msg: "no writer here" });
  for (const { ts } of lines) t.ok(Date.parse(String(ts)) <= Date.now(), "a time that was");
});

test("lines below the log's level are left out", async (t) => {
  const { lines, print } = openedJournal(t);
  print("7,1,1,-;debug");
  print("6,2,2,-;info");
  t.ok(await eventually(() => lines.length > 0));
  t.same(
    lines.map(({ msg }) => msg),
    ["info"],
  );
  const debug = openedJournal(t, "debug");
  debug.print("7,1,1,-;debug");
  t.ok(await eventually(() => debug.lines.length === 1));
});

test("what the kernel has overwritten is told by its number", async (t) => {
  const { lines, warned, print } = openedJournal(t);
  print("6,1,1,-;one");
  print("6,5,2,-;five");
  t.ok(await eventually(() => lines.length === 2));
  t.same(warned, [{ lines: 3 }]);
});

test("a flood is cut to the quota, and nobody waits for it", async (t) => {
  const { lines, print } = openedJournal(t);
  const text = "x".repeat(900);
  const count = 2000;
  for (let number = 0; number < count; number += 1) {
    print(`6,${number},1,-;${text}`);
    // The pipe is smaller than the flood, and its reader is in this thread.
    if (number % 50 === 0) await new Promise((resolve) => setImmediate(resolve));
  }
  print(`6,${count},1,-;x`);
  t.ok(await eventually(() => lines.length > 100), "the burst is there");
  t.ok(lines.length < count, "the rest is not");
});

test("a journal that was closed hands on nothing more", async (t) => {
  const { journal, lines, print } = openedJournal(t);
  journal.close();
  journal.close();
  print("6,1,1,-;late");
  await new Promise((resolve) => setImmediate(resolve));
  t.same(lines, []);
});
