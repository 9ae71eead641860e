/**
 * Blocks of memory go from stream to stream. Here many streams are read and written at once, in pieces of all sizes, over
 * connections that stop reading and calls whose time runs out; each byte says where it belongs.
 */
import { setImmediate as turn } from "node:timers/promises";
import { test } from "tap";
import { giveBack } from "../../../src/base/blocks.ts";
import { Code } from "../../../src/base/code.ts";
import { ReadStreamRequest, ReadStreamResponse, WriteStreamRequest } from "../../../src/gen/agent.ts";
import { ReadEnd } from "../../../src/runtime/read-end.ts";
import { WriteEnd } from "../../../src/runtime/write-end.ts";
import { Descriptor } from "../../../src/sys/descriptor.ts";
import { makePipe } from "../../../src/sys/pipe.ts";
import { dial } from "../../../src/vsock/dial.ts";
import { decodeMessage } from "../../../src/wire/protobuf-decode.ts";
import { encodeMessage } from "../../../src/wire/protobuf-encode.ts";
import { Random } from "../../fakes/random.ts";
import { RawPeer, request, type Seen } from "../../fakes/raw-peer.ts";
import { handlers, ttrpcServer } from "../../fakes/rpc-server.ts";

const agent = "grpc.AgentService";
const totalBytes = 1_000_000;
const sizes = [50, 4097, 32_768, 65_536, 200_000] as const;
const random = new Random(7);
const someBytes = () => 1 + random.below(random.pick(sizes));

/** What stands at a place of a stream. */
function byteAt(stream: number, at: number): number {
  return (stream * 67 + at + (at >> 8) * 13 + (at >> 16) * 5) & 255;
}

function piece(stream: number, from: number, length: number): Uint8Array {
  return Uint8Array.from({ length }, (_, index) => byteAt(stream, from + index));
}

/** Counts the bytes of a stream that came as they should; the first wrong one throws. */
class Checked {
  readonly stream: number;
  count = 0;

  constructor(stream: number) {
    this.stream = stream;
  }

  take(bytes: Uint8Array): void {
    const wrong = bytes.findIndex((byte, index) => byte !== byteAt(this.stream, this.count + index));
    if (wrong !== -1) throw new Error(`stream ${this.stream}: wrong byte at ${this.count + wrong}`);
    this.count += bytes.length;
  }
}

/** The streams of a process, with what fills its output and empties its input. */
function processOf(number: number) {
  const [output, input] = [makePipe(), makePipe()];
  const [from, to] = [new Descriptor(output.writeEnd), new Descriptor(input.readEnd)];
  const seen = new Checked(number + 100);
  const says = async () => {
    for (let at = 0; at < totalBytes; ) {
      const count = from.write([piece(number, at, Math.min(totalBytes - at, someBytes()))]);
      at += count;
      if (count === 0) await from.writable();
    }
    from.close();
  };
  const hears = async () => {
    const into = new Uint8Array(200_000);
    for (let count = -1; count !== 0; ) {
      count = to.read(into, 0, someBytes());
      if (count < 0) await to.readable();
      else seen.take(into.subarray(0, count));
    }
    to.close();
  };
  const stdout = new ReadEnd(new Descriptor(output.readEnd));
  const stdin = new WriteEnd(new Descriptor(input.writeEnd));
  return { number, id: `${number}`, stdout, stdin, seen, got: new Checked(number), sent: 0, says, hears };
}

type Running = ReturnType<typeof processOf>;

/** Reads and writes streams to their end by calls, up to 48 at once. */
async function use(peer: RawPeer, running: readonly Running[]): Promise<void> {
  const asked = new Map<number, Running | undefined>();
  const reads = new Map<number, Seen | undefined>();
  const open = new Set(running);
  const heads = new Map(running.map((each) => [each, [] as number[]]));
  let next = 1;
  const ask = (): Uint8Array => {
    const each = random.pick(running);
    const id = next;
    next += 2;
    if (each.sent < totalBytes && random.below(2) === 0) {
      const message = { container_id: each.id, data: piece(each.number + 100, each.sent, someBytes()) };
      each.sent += message.data.length;
      asked.set(id, undefined);
      return request(id, agent, "WriteStdin", { payload: encodeMessage(WriteStreamRequest, message) });
    }
    asked.set(id, each);
    heads.get(each)?.push(id);
    const timeout_nano = random.below(10) === 0 ? 2_000_000n : 0n;
    const payload = encodeMessage(ReadStreamRequest, { container_id: each.id, len: someBytes() });
    return request(id, agent, "ReadStdout", { payload, timeout_nano });
  };
  const answered = (seen: Seen) => {
    const each = asked.get(seen.id);
    asked.delete(seen.id);
    if (each === undefined) {
      if (seen.code !== Code.ok) throw new Error(`a write failed: ${seen.message}`);
      return;
    }
    reads.set(seen.id, seen);
    const line = heads.get(each) ?? [];
    for (let head = reads.get(line[0] ?? 0); head !== undefined; head = reads.get(line[0] ?? 0)) {
      line.shift();
      if (head.code === Code.deadlineExceeded) continue;
      if (head.code !== Code.ok) throw new Error(`a read failed: ${head.message}`);
      const { data } = decodeMessage(ReadStreamResponse, head.payload);
      each.got.take(data);
      if (data.length === 0) open.delete(each);
    }
  };
  while (open.size > 0 || asked.size > 0) {
    const frames: Uint8Array[] = [];
    while (open.size > 0 && asked.size < 48 && random.below(16) > 0) frames.push(ask());
    const bytes = Buffer.concat(frames);
    for (let at = 0, end = 0; at < bytes.length; at = end) {
      end = random.below(2) === 0 ? bytes.length : at + someBytes();
      peer.send(bytes.subarray(at, end));
      if (random.below(2) === 0) await turn();
    }
    if (random.below(4) === 0) {
      peer.stream.pause();
      for (let turns = random.below(100); turns > 0; turns--) await turn();
      peer.stream.resume();
    }
    if (asked.size > 0) for (const seen of await peer.answers(1)) answered(seen);
  }
}

test("no byte is lost, moved or seen in another stream, however streams are used", async (t) => {
  const all = [1, 2, 3, 4, 5, 6].map(processOf);
  const of = (id: string) => all[Number(id) - 1] as Running;
  const serving = handlers({
    ReadStdout: async ({ container_id, len }, call) => ({
      data: await of(container_id).stdout.read(len, () => call.signal),
    }),
    WriteStdin: async ({ container_id, data }, call) => {
      await of(container_id).stdin.write(data, () => call.signal);
      giveBack(data);
      return { len: data.length };
    },
  });
  const { address } = await ttrpcServer(t, serving);
  const client = async (running: readonly Running[]) => {
    const peer = new RawPeer(await dial(address, { timeoutMs: 60_000 }));
    await use(peer, running);
    await peer.stream.close();
    await Promise.all(running.map(({ stdin }) => stdin.end()));
  };
  const ends = all.flatMap(({ says, hears }) => [says(), hears()]);
  await Promise.all([...ends, client(all.slice(0, 2)), client(all.slice(2, 3)), client(all.slice(3))]);
  for (const { got, seen, sent } of all) {
    t.equal(got.count, totalBytes);
    t.equal(seen.count, sent);
    t.ok(sent > 0);
  }
});
