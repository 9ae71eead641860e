import { spawn } from "node:child_process";
import { closeSync, writeSync } from "node:fs";
import { setImmediate as turn } from "node:timers/promises";
import { test } from "tap";
import { blockBytes, giveBack } from "../../src/base/blocks.ts";
import { delay } from "../../src/base/deadline.ts";
import { ReadEnd } from "../../src/runtime/read-end.ts";
import { Descriptor } from "../../src/sys/descriptor.ts";
import { makePipe, setPipeSize } from "../../src/sys/pipe.ts";
import { openTerminal } from "../../src/sys/terminal.ts";

const { signal } = new AbortController();
const never = () => signal;
const text = (bytes: Uint8Array) => Buffer.from(bytes).toString();

function pipe(capacityBytes?: number): { end: ReadEnd; write: (text: string) => void; close: () => void } {
  const { readEnd, writeEnd } = makePipe();
  if (capacityBytes !== undefined) setPipeSize(writeEnd, capacityBytes);
  return {
    end: new ReadEnd(new Descriptor(readEnd), capacityBytes),
    write: (data) => void writeSync(writeEnd, data),
    close: () => closeSync(writeEnd),
  };
}

test("a read answers what is there, at most what was asked for, then the end", async (t) => {
  const { end, write, close } = pipe();
  write("0123456789");
  t.equal(text(await end.read(4, never)), "0123");
  t.equal(text(await end.read(100, never)), "456789");
  const waiting = end.read(100, never);
  write("late");
  t.equal(text(await waiting), "late");
  close();
  t.notOk(end.ended);
  t.equal((await end.read(100, never)).length, 0);
  t.ok(end.ended);
  t.equal((await end.read(100, never)).length, 0, "the end stays the end");
});

test("the chunk that was answered is the reader's own", async (t) => {
  const { end, write, close } = pipe();
  write("first");
  const first = await end.read(5, never);
  write("other");
  await end.read(5, never);
  t.equal(text(first), "first");
  close();
  end.close();
});

test("a large chunk is the reader's own until it is given back", async (t) => {
  const { end, write, close } = pipe();
  const kept: Uint8Array[] = [];
  for (const letter of "abcdefgh") {
    write(letter.repeat(10_000));
    kept.push(await end.read(6_000, never), await end.read(6_000, never));
  }
  t.same(
    kept.map(text),
    [..."abcdefgh"].flatMap((letter) => [letter.repeat(6_000), letter.repeat(4_000)]),
  );
  const buffers = new Set(kept.map(({ buffer }) => buffer));
  kept.forEach(giveBack);
  write("i".repeat(10_000));
  const next = await end.read(6_000, never);
  t.equal(text(next), "i".repeat(6_000));
  t.ok(buffers.has(next.buffer), "what was given back is used again");
  close();
  end.close();
});

test("what is read ahead outlives the part of it that was given back", async (t) => {
  const [one, other] = [pipe(), pipe()];
  one.write("a".repeat(20_000));
  other.write("b".repeat(20_000));
  giveBack(await one.end.read(10_000, never));
  t.equal(text(await other.end.read(10_000, never)), "b".repeat(10_000));
  t.equal(text(await one.end.read(10_000, never)), "a".repeat(10_000));
  for (const { end, close } of [one, other]) {
    close();
    end.close();
  }
});

test("a block of which a small rest is read last is used again", async (t) => {
  const { end, write, close } = pipe();
  const used = new Set<ArrayBufferLike>();
  for (let round = 0; round < 20; round++) {
    write("x".repeat(7_000));
    const first = await end.read(6_000, never);
    used.add(first.buffer);
    giveBack(first);
    t.equal(text(await end.read(6_000, never)), "x".repeat(1_000));
  }
  t.ok(used.size < 10, `${used.size} blocks for 20 rounds`);
  close();
  end.close();
});

/** A large pipe, full of numbered kilobytes: `fill` makes it full again and answers how many bytes had room. */
function fullPipe() {
  const capacityBytes = 1024 * 1024;
  const { readEnd, writeEnd } = makePipe();
  setPipeSize(writeEnd, capacityBytes);
  const input = new Descriptor(writeEnd);
  let written = 0;
  const fill = () => {
    const before = written;
    const page = () => Buffer.alloc(4096, (written / 4096) & 255);
    for (let count = -1; count !== 0; written += count) count = input.write([page()]);
    return written - before;
  };
  fill();
  return { end: new ReadEnd(new Descriptor(readEnd), capacityBytes), fill, input, written: () => written };
}

test("what one read takes is at most a block, and the writer is held back behind it", async (t) => {
  const { end, fill, input } = fullPipe();
  t.equal((await end.read(1000, never)).length, 1000);
  t.equal(fill(), blockBytes, "so much room has one read made");
  for (let at = 1000; at < blockBytes; at += 1000) await end.read(1000, never);
  await turn();
  t.equal(fill(), 0, "what was taken is read first");
  t.equal((await end.read(0, never)).length, 0);
  t.equal(fill(), 0, "who asks for nothing takes nothing");
  input.close();
  end.close();
});

test("who got all that it asked for has one block read ahead, and no byte is lost or moved by it", async (t) => {
  const { end, fill, input, written } = fullPipe();
  const pages: Uint8Array[] = [];
  pages.push(await end.read(blockBytes, never));
  await turn();
  t.equal(fill(), 2 * blockBytes);
  await turn();
  t.equal(fill(), 0, "one is enough until that is taken");
  pages.push(await end.read(10_000, never));
  await turn();
  t.equal(fill(), 0);
  input.close();
  for (let data = await end.read(32_768, never); data.length > 0; data = await end.read(32_768, never)) {
    pages.push(data);
    await turn();
  }
  const all = Buffer.concat(pages);
  t.equal(all.length, written());
  t.ok(all.every((byte, at) => byte === ((at >> 12) & 255)));
  t.ok(end.ended);
});

test("nothing is read ahead after the exit", async (t) => {
  const calm = fullPipe();
  await calm.end.read(blockBytes + 1, never);
  calm.end.exited();
  await turn();
  t.equal(calm.fill(), blockBytes, "what was to be read ahead is not, after the exit");
  calm.input.close();
  calm.end.close();
  const { end, fill, input } = fullPipe();
  end.exited();
  await end.read(blockBytes, never);
  await turn();
  t.equal(fill(), blockBytes);
  input.close();
  end.close();
});

test("what was read ahead comes before what the end of the process leaves", async (t) => {
  const { end, write, close } = pipe();
  write("a".repeat(20_000));
  t.equal(text(await end.read(5_000, never)), "a".repeat(5_000));
  write("b".repeat(20_000));
  close();
  end.finish();
  t.notOk(end.ended);
  let seen = "";
  for (let chunk = "a"; chunk !== ""; seen += chunk) chunk = text(await end.read(9_000, never));
  t.equal(seen, "a".repeat(15_000) + "b".repeat(20_000));
  t.ok(end.ended);
});

test("readers take turns in the order they came", async (t) => {
  const { end, write, close } = pipe();
  const reads = [1, 2, 3, 4].map(() => end.read(2, never));
  write("aabb");
  write("c");
  close();
  t.same((await Promise.all(reads)).map(text).filter(Boolean).join("").length, 5);
  t.equal((await end.read(2, never)).length, 0);
});

test("a reader that gives up takes no byte with it", async (t) => {
  const { end, write, close } = pipe();
  const leaving = new AbortController();
  const first = end.read(10, () => leaving.signal);
  const second = end.read(10, () => leaving.signal);
  const third = end.read(10, never);
  leaving.abort(new Error("gone"));
  write("kept");
  await t.rejects(first, { message: "gone" });
  await t.rejects(second, { message: "gone" });
  t.equal(text(await third), "kept");
  close();
  end.close();
});

test("a reader that gives up leaves at once, whoever stands before it", async (t) => {
  const { end, write, close } = pipe();
  const endless = end.read(10, never);
  const leaving = new AbortController();
  const behind = end.read(10, () => leaving.signal);
  leaving.abort(new Error("time is up"));
  await t.rejects(behind, { message: "time is up" });
  write("kept");
  t.equal(text(await endless), "kept");
  close();
  end.close();
});

test("a reader whose caller has gone before its turn takes nothing", async (t) => {
  const { end, write, close } = pipe();
  const first = end.read(4, never);
  const gone = AbortSignal.abort(new Error("gone"));
  await t.rejects(
    end.read(4, () => gone),
    { message: "gone" },
  );
  write("aaaabbbb");
  t.equal(text(await first), "aaaa");
  t.equal(text(await end.read(4, never)), "bbbb");
  close();
  end.close();
});

test("after the exit reads go on for a while and then end, though the pipe is held open", async (t) => {
  const { end, write, close } = pipe();
  end.exited();
  write("last words");
  t.equal(text(await end.read(100, never)), "last words");
  t.equal((await end.read(100, never)).length, 0, "a read that waits is ended");
  t.equal((await end.read(100, never)).length, 0, "so is one that begins later");
  write("more");
  t.equal(text(await end.read(100, never)), "more", "what comes is still told");
  close();
  end.close();
});

test("who goes on writing after the exit does not keep the reader for ever (agent-api 3.10)", async (t) => {
  const capacityBytes = 4096;
  const { end, write, close } = pipe(capacityBytes);
  write("own words".padEnd(capacityBytes));
  end.exited();
  t.equal(text(await end.read(9, never)), "own words", "what the process itself said stays to be read");
  while ((await end.read(capacityBytes, never)).length > 0);
  write("others".padEnd(capacityBytes));
  t.equal((await end.read(capacityBytes, never)).length, 0);
  t.notOk(end.ended, "the pipe is still held");
  close();
  end.close();
});

test("a pipe that was made larger is kept whole for late readers", async (t) => {
  const capacityBytes = 1024 * 1024;
  const { end, write, close } = pipe(capacityBytes);
  for (let at = 0; at < capacityBytes; at += 65_536) write("y".repeat(65_536));
  end.finish();
  let bytes = 0;
  for (let got = -1; got !== 0; bytes += got) got = (await end.read(1 << 20, never)).length;
  t.equal(bytes, capacityBytes);
  close();
});

test("what is in the pipe outlives its descriptor", async (t) => {
  const { end, write, close } = pipe();
  const bytes = "x".repeat(50_000);
  write(bytes);
  end.finish();
  end.finish();
  close();
  t.notOk(end.ended);
  let seen = "";
  for (let chunk = ""; seen === "" || chunk !== ""; seen += chunk)
    chunk = text(await end.read(20_000, never));
  t.equal(seen, bytes);
  t.ok(end.ended);
});

test("a reader that waits is woken by the end and by a close", async (t) => {
  for (const how of ["finish", "close"] as const) {
    const { end, close } = pipe();
    const waiting = end.read(10, never);
    await delay(1);
    end[how]();
    t.equal((await waiting).length, 0, how);
    t.ok(end.ended);
    close();
  }
});

test("a terminal whose last user is gone has ended", async (t) => {
  const { master, slave } = openTerminal();
  const child = spawn("/bin/sh", ["-c", "echo on a terminal"], { stdio: ["ignore", slave, slave] });
  closeSync(slave);
  const end = new ReadEnd(new Descriptor(master));
  let seen = "";
  for (let chunk = ""; seen === "" || chunk !== ""; seen += chunk) chunk = text(await end.read(100, never));
  t.equal(seen, "on a terminal\r\n");
  t.ok(end.ended, "EIO is the end");
  await new Promise((resolve) => child.once("close", resolve));
});
