import { closeSync, readSync } from "node:fs";
import { test } from "tap";
import { AgentError } from "../../src/base/agent-error.ts";
import { ReadEnd } from "../../src/runtime/read-end.ts";
import { WriteEnd } from "../../src/runtime/write-end.ts";
import { Descriptor } from "../../src/sys/descriptor.ts";
import { makePipe } from "../../src/sys/pipe.ts";
import { openTerminal } from "../../src/sys/terminal.ts";

const { signal } = new AbortController();
const never = () => signal;

function pipe(): { stdin: WriteEnd; output: ReadEnd; readEnd: Descriptor } {
  const { readEnd, writeEnd } = makePipe();
  const descriptor = new Descriptor(readEnd);
  return {
    stdin: new WriteEnd(new Descriptor(writeEnd)),
    output: new ReadEnd(descriptor),
    readEnd: descriptor,
  };
}

test("writers take turns, so that their bytes never mix", async (t) => {
  const { stdin, output } = pipe();
  const size = 200_000;
  const writes = ["a", "b", "c"].map((letter) => stdin.write(Buffer.alloc(size, letter), never));
  const ended = stdin.end();
  const parts: Uint8Array[] = [];
  for (let part = await output.read(65536, never); part.length > 0; part = await output.read(65536, never)) {
    parts.push(part);
  }
  await Promise.all([...writes, ended]);
  t.equal(Buffer.concat(parts).toString(), "a".repeat(size) + "b".repeat(size) + "c".repeat(size));
});

test("a writer is told when nobody reads, and when the input is closed", async (t) => {
  const { stdin, readEnd } = pipe();
  readEnd.close();
  await t.rejects(stdin.write(Buffer.from("x"), never), { code: "EPIPE" });
  stdin.close();
  stdin.close();
  const closed = await stdin.write(Buffer.from("x"), never).catch((error: unknown) => error);
  t.match(closed, { message: /closed/ });
  t.ok(closed instanceof AgentError);
  await stdin.end();
});

test("a writer that waits ends with its signal or with the pipe, and lets the next one on", async (t) => {
  const { stdin, output, readEnd } = pipe();
  const leaving = new AbortController();
  const stuck = stdin.write(Buffer.alloc(100_000), () => leaving.signal);
  const next = stdin.write(Buffer.from("next"), never);
  leaving.abort(new Error("gone"));
  await t.rejects(stuck, { message: "gone" });
  while ((await output.read(65536, never)).length === 65536);
  await next;
  const full = stdin.write(Buffer.alloc(100_000), never);
  await new Promise(setImmediate);
  stdin.close();
  await t.rejects(full);
  readEnd.close();
});

test("what fits is with the reader at once, and nothing passes an end of input", async (t) => {
  const { stdin, readEnd } = pipe();
  const into = new Uint8Array(10);
  const first = stdin.write(Buffer.from("at once"), never);
  t.equal(readEnd.read(into), 7, "in the turn of the call");
  const ended = stdin.end();
  const late = stdin.write(Buffer.from("too late"), never);
  await Promise.all([first, ended]);
  await t.rejects(late, { message: /closed/ });
  t.equal(readEnd.read(into), 0);
  readEnd.close();
});

test("a writer that comes while another waits stands behind it", async (t) => {
  const { stdin, output, readEnd } = pipe();
  const first = stdin.write(Buffer.alloc(100_000, "a"), never);
  readEnd.read(new Uint8Array(65_536));
  const second = stdin.write(Buffer.from("b"), never);
  let seen = "";
  while (seen.length < 100_000 - 65_536 + 1) seen += Buffer.from(await output.read(65_536, never));
  t.equal(seen, `${"a".repeat(100_000 - 65_536)}b`);
  await Promise.all([first, second]);
  stdin.close();
  output.close();
});

test("the end of input leaves a terminal open", async (t) => {
  const { master, slave } = openTerminal();
  const descriptor = new Descriptor(master);
  const stdin = new WriteEnd(descriptor, "keep");
  await stdin.write(Buffer.from("line\n"), never);
  await stdin.end();
  await stdin.write(Buffer.from("more\n"), never);
  const seen = Buffer.alloc(100);
  t.equal(seen.toString("utf8", 0, readSync(slave, seen)), "line\n");
  stdin.close();
  t.notOk(descriptor.closed);
  descriptor.close();
  closeSync(slave);
});
