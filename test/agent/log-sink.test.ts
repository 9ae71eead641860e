import { closeSync, openSync, readFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "tap";
import { LogSink } from "../../src/agent/log-sink.ts";
import { Descriptor } from "../../src/sys/descriptor.ts";
import { makePipe, setPipeSize } from "../../src/sys/pipe.ts";

const line = `${"x".repeat(1023)}\n`;

/** All that a pipe holds now. */
function drain(reader: Descriptor): string {
  const buffer = Buffer.alloc(64 * 1024);
  let text = "";
  for (let count = reader.read(buffer); count > 0; count = reader.read(buffer))
    text += buffer.toString("utf8", 0, count);
  return text;
}

test("a pipe that nobody reads holds nobody back, and the lines that had no room are counted", async (t) => {
  const { readEnd, writeEnd } = makePipe();
  setPipeSize(writeEnd, 4096);
  const sink = new LogSink(writeEnd);
  using reader = new Descriptor(readEnd);
  for (let count = 0; count < 1000; count += 1) sink.write(line);
  let text = "";
  while (!text.includes("were dropped")) {
    await reader.readable();
    text += drain(reader);
  }
  closeSync(writeEnd);
  const kept = text.split("\n").filter((found) => found === line.trimEnd()).length;
  t.match(text, new RegExp(`"msg":"${1000 - kept} log lines were dropped"`));
  t.ok(kept >= 256, "a quarter of a megabyte waits for a reader");
});

test("a line that no longer fits a disk is lost without an error", async (t) => {
  const full = openSync("/dev/full", "w");
  t.teardown(() => closeSync(full));
  const sink = new LogSink(full);
  for (let count = 0; count < 3; count += 1) sink.write(line);
  sink.flush();
  t.pass("nothing was thrown");
});

test("a pipe whose reader has gone is no fault of ours", async (t) => {
  const { readEnd, writeEnd } = makePipe();
  closeSync(readEnd);
  new LogSink(writeEnd).write(line);
  closeSync(writeEnd);
  t.pass("nothing was thrown");
});

test("lines in a plain file stand behind what others have written to the same descriptor", async (t) => {
  const dir = await mkdtemp(join(tmpdir(), "log-"));
  t.teardown(() => rm(dir, { recursive: true }));
  const file = openSync(join(dir, "log"), "w");
  t.teardown(() => closeSync(file));
  const sink = new LogSink(file);
  sink.write("one\n");
  new Descriptor(file).write([Buffer.from("two\n")]);
  sink.write("three\n");
  t.equal(readFileSync(join(dir, "log"), "utf8"), "one\ntwo\nthree\n");
});
