import { writeSync } from "node:fs";
import { test } from "tap";
import { openPipes } from "../../src/runtime/open-pipes.ts";

const { signal } = new AbortController();

/** What the output pipe takes before it is full, and what of it can be read. */
async function capacity(pipeBytes: number): Promise<{ taken: number; read: number }> {
  const streams = openPipes(pipeBytes);
  const { stdout, close } = await streams.connect(0);
  const [, output] = streams.childStdio;
  const block = Buffer.alloc(4096);
  let taken = 0;
  // Our own side is not blocking, theirs is: one byte too many would hang.
  for (const most = pipeBytes > 0 ? pipeBytes : 65_536; taken < most && output !== "null"; )
    taken += writeSync(output, block);
  stdout.finish();
  let read = 0;
  for (let got = -1; got !== 0; read += got) got = (await stdout.read(1 << 20, () => signal)).length;
  streams.close();
  close();
  return { taken, read };
}

test("the output pipes get the size that was asked for, and no byte of it is lost", async (t) => {
  for (const bytes of [0, 4096, 262_144]) {
    const wanted = bytes === 0 ? 65_536 : bytes;
    t.same(await capacity(bytes), { taken: wanted, read: wanted }, `${bytes}`);
  }
});

test("a size that the kernel refuses leaves the pipes as they are", async (t) => {
  // The kernel has no table so large for one pipe, whoever asks.
  const streams = openPipes(0x7fff_ffff);
  const io = await streams.connect(0);
  const [, output] = streams.childStdio;
  if (output !== "null") writeSync(output, "works");
  t.equal(Buffer.from(await io.stdout.read(10, () => signal)).toString(), "works");
  streams.close();
});
