import { setImmediate as turn } from "node:timers/promises";
import { test } from "tap";
import { AgentError } from "../../../src/base/agent-error.ts";
import { blockBytes, giveBack, takeBlock } from "../../../src/base/blocks.ts";
import { Code } from "../../../src/base/code.ts";
import { silentLog } from "../../../src/base/log.ts";
import {
  ReadStreamRequest,
  ReadStreamResponse,
  WriteStreamRequest,
  WriteStreamResponse,
} from "../../../src/gen/agent.ts";
import type { Handlers } from "../../../src/rpc/call.ts";
import { createDispatcher } from "../../../src/rpc/dispatch.ts";
import { serveTtrpc, type TtrpcOptions } from "../../../src/rpc/ttrpc/server.ts";
import { dial } from "../../../src/vsock/dial.ts";
import { decodeMessage } from "../../../src/wire/protobuf-decode.ts";
import { encodeMessage } from "../../../src/wire/protobuf-encode.ts";
import { memoryStreamPair } from "../../fakes/memory-stream.ts";
import { Random } from "../../fakes/random.ts";
import { check, frame, RawPeer, request } from "../../fakes/raw-peer.ts";
import { handlers, ttrpcServer } from "../../fakes/rpc-server.ts";
import { vector } from "../../fakes/vectors.ts";

const agent = "grpc.AgentService";
const overLimit = new Uint8Array(4 * 1024 * 1024 + 1);

type Scope = Parameters<typeof ttrpcServer>[0];

async function peerOf(t: Scope, serving: Handlers = handlers(), options: Partial<TtrpcOptions> = {}) {
  const { address, connections } = await ttrpcServer(t, serving, { options });
  const peer = new RawPeer(await dial(address, { timeoutMs: 60_000 }));
  t.teardown(() => peer.stream.close());
  return { peer, connections };
}

/** A handler that says when it runs, and ends when told or when its call is aborted. */
function parked() {
  const started = Promise.withResolvers<AbortSignal>();
  const release = Promise.withResolvers<void>();
  const aborted = Promise.withResolvers<AgentError>();
  return {
    started: started.promise,
    release: release.resolve,
    aborted: aborted.promise,
    handler: async (_request: object, call: { signal: AbortSignal }) => {
      call.signal.addEventListener("abort", () => aborted.resolve(call.signal.reason));
      started.resolve(call.signal);
      await release.promise;
      return { status: 7 };
    },
  };
}

test("a documented request gets the documented answer", async (t) => {
  const { peer } = await peerOf(t);
  const answered = Promise.withResolvers<Uint8Array>();
  const [ours, theirs] = memoryStreamPair();
  const connection = serveTtrpc(ours, createDispatcher(handlers()), { log: silentLog });
  theirs.start(
    (chunk) => answered.resolve(Uint8Array.from(chunk)),
    () => {},
  );
  theirs.write(vector("ttrpc-request-check"));
  t.same(await answered.promise, vector("ttrpc-response-serving"));
  await connection.close();
  peer.send(vector("ttrpc-request-check"));
  t.match(await peer.answer(), { id: 1, code: Code.ok });
});

for (const id of [0, 2, 0xffff_fffe]) {
  for (const type of [1, 2, 3, 77]) {
    // agent-api 0.1
    test(`stream id ${id} is refused on a frame of type ${type}, and the connection lives`, async (t) => {
      const { peer } = await peerOf(t);
      peer.send(frame(id, type), check(1));
      t.match(await peer.answers(2), [
        { id, code: Code.invalidArgument, message: "stream id must be odd" },
        { id: 1, code: Code.ok },
      ]);
    });
  }
}

test("ids may have gaps, but must rise", async (t) => {
  const { peer } = await peerOf(t);
  peer.send(check(1), check(9), check(0xffff_ffff));
  t.same(
    (await peer.answers(3)).map((answer) => [answer.id, answer.code]),
    [
      [1, 0],
      [9, 0],
      [0xffff_ffff, 0],
    ],
  );
  peer.send(check(9), check(11));
  t.match(await peer.answers(2), [
    { id: 9, code: Code.invalidArgument, message: /re-used/ },
    { id: 11, code: Code.invalidArgument },
  ]);
});

test("a running call whose id comes again ends once, with the refusal", async (t) => {
  const waiting = parked();
  const { peer, connections } = await peerOf(t, handlers({ WaitProcess: waiting.handler }));
  peer.send(request(1, agent, "WaitProcess"), request(1, agent, "WaitProcess"));
  t.match(await peer.answer(), { id: 1, code: Code.invalidArgument });
  t.equal((await waiting.aborted).code, Code.cancelled);
  waiting.release();
  peer.send(check(3));
  t.match(await peer.answer(), { id: 3, code: Code.ok });
  t.equal(connections[0]?.running, 0);
});

test("bytes that are no Request are refused on their stream, and the connection lives", async (t) => {
  const { peer } = await peerOf(t);
  peer.send(frame(1, 1, Uint8Array.of(0x0a, 0x7f)), frame(3, 1, Uint8Array.of(0x0a, 1, 0xff)), check(5));
  t.match(await peer.answers(3), [
    { id: 1, code: Code.invalidArgument },
    { id: 3, code: Code.invalidArgument },
    { id: 5, code: Code.ok },
  ]);
});

test("a frame full of metadata is refused on its stream, and the connection lives", async (t) => {
  const { peer } = await peerOf(t);
  const emptyPair = Uint8Array.of(0x2a, 0);
  peer.send(frame(1, 1, Buffer.alloc(4 * 1024 * 1024, emptyPair)), check(3));
  t.match(await peer.answers(2), [
    { id: 1, code: Code.invalidArgument, message: "too much metadata" },
    { id: 3, code: Code.ok },
  ]);
});

// agent-api 0.1
test("what the schema does not know, or nobody has implemented, is UNIMPLEMENTED", async (t) => {
  const { peer } = await peerOf(t);
  peer.send(
    request(1, "grpc.Nothing", "Check"),
    request(3, "grpc.Health", "Foo"),
    request(5, agent, "SetPolicy"),
  );
  peer.send(request(7, "", ""), request(9, "x".repeat(100_000), "y".repeat(100_000)));
  const answers = await peer.answers(5);
  t.same(new Set(answers.map((answer) => answer.code)), new Set([Code.unimplemented]));
  t.match(answers, [
    { id: 1, message: "service grpc.Nothing" },
    { id: 3, message: "method Foo" },
  ]);
  t.match(answers.find((answer) => answer.id === 5)?.message, "method SetPolicy");
  t.ok(answers.every((answer) => answer.message.length <= 200));
});

// agent-api 0.3
test("a request message that does not decode is INVALID_ARGUMENT", async (t) => {
  const { peer } = await peerOf(t, handlers({ ReadStdout: async () => ({ data: new Uint8Array(0) }) }));
  peer.send(request(1, agent, "ReadStdout", { payload: Uint8Array.of(0x0a, 0x7f) }));
  t.match(await peer.answer(), {
    id: 1,
    code: Code.invalidArgument,
    message: "grpc.ReadStreamRequest: length beyond the end",
  });
});

// agent-api 0.1
test("an oversize request is refused on its stream, and the connection lives", async (t) => {
  const { peer } = await peerOf(t);
  peer.send(
    frame(1, 1, overLimit),
    frame(2, 1, overLimit),
    frame(3, 77, overLimit),
    check(5),
    frame(3, 1, overLimit),
  );
  t.match(
    (await peer.answers(4)).sort((a, b) => a.id - b.id),
    [
      { id: 1, code: Code.invalidArgument, message: /exceeds 4194304 bytes/ },
      { id: 2, code: Code.invalidArgument, message: "stream id must be odd" },
      { id: 3, code: Code.invalidArgument, message: /re-used/ },
      { id: 5, code: Code.ok },
    ],
  );
});

// agent-api 0.1
test("an oversize answer is replaced by a refusal, one of just 4 MiB is sent", async (t) => {
  const ReadStdout = async ({ len }: ReadStreamRequest) => ({ data: new Uint8Array(len).fill(1) });
  const { peer } = await peerOf(t, handlers({ ReadStdout }));
  const read = (id: number, len: number) =>
    request(id, agent, "ReadStdout", { payload: encodeMessage(ReadStreamRequest, { len }) });
  // Tag and length of the data, and of the payload around it, need ten bytes.
  const fits = 4 * 1024 * 1024 - 10;
  peer.send(read(1, fits), read(3, fits + 1), read(5, 10));
  const [full, refused, small] = await peer.answers(3);
  t.equal(decodeMessage(ReadStreamResponse, full?.payload as Uint8Array).data.length, fits);
  t.match(refused, { id: 3, code: Code.invalidArgument, message: /answer exceeds/ });
  t.match(small, { id: 5, code: Code.ok });
});

test("stream data is refused, whether its stream runs, ran, or never was", async (t) => {
  const waiting = parked();
  const { peer } = await peerOf(t, handlers({ WaitProcess: waiting.handler }));
  peer.send(check(1));
  await peer.answer();
  peer.send(request(3, agent, "WaitProcess"));
  await waiting.started;
  const data = Uint8Array.of(1, 2, 3);
  peer.send(
    frame(1, 3, data),
    frame(3, 3, data, 1),
    frame(99, 3, new Uint8Array(0), 5),
    frame(101, 3, overLimit),
  );
  t.same(
    (await peer.answers(4)).map((answer) => [answer.id, answer.code]),
    [1, 3, 99, 101].map((id) => [id, Code.invalidArgument]),
  );
  t.equal((await waiting.aborted).code, Code.cancelled);
  peer.send(check(5));
  t.match(await peer.answer(), { id: 5, code: Code.ok }, "data did not use up the ids 99 and 101");
});

test("answers from a client and unknown frame types are ignored", async (t) => {
  const { peer } = await peerOf(t);
  peer.send(frame(1, 2, Uint8Array.of(1)), frame(3, 0), frame(5, 4), frame(7, 255, overLimit), check(9));
  t.match(await peer.answer(), { id: 9, code: Code.ok });
});

test("flags of a request do not matter", async (t) => {
  const { peer } = await peerOf(t);
  for (const flags of [1, 2, 6, 255]) {
    const bytes = Uint8Array.from(check(flags * 2 + 1));
    bytes[9] = flags;
    peer.send(bytes);
    t.match(await peer.answer(), { code: Code.ok });
  }
});

test("frames may come in single bytes", async (t) => {
  const { peer } = await peerOf(t);
  for (const byte of check(1)) {
    peer.send(Uint8Array.of(byte));
    await turn();
  }
  t.match(await peer.answer(), { id: 1, code: Code.ok });
});

// agent-api 0.1
test("at its deadline a call is answered, and its handler told", async (t) => {
  const waiting = parked();
  const { peer, connections } = await peerOf(t, handlers({ WaitProcess: waiting.handler }));
  peer.send(request(1, agent, "WaitProcess", { timeout_nano: 20_000_000n }));
  t.match(await peer.answer(), { id: 1, code: Code.deadlineExceeded, message: "timeout" });
  t.match(await waiting.aborted, { code: Code.deadlineExceeded });
  t.equal(connections[0]?.running, 0);
  waiting.release();
  peer.send(check(3));
  t.match(await peer.answer(), { id: 3, code: Code.ok }, "the late result was dropped");
});

test("a negative timeout has expired already, and one of 200 days does not expire at once", async (t) => {
  let runs = 0;
  const Check = async () => {
    runs++;
    await turn();
    return { status: 1 };
  };
  const { peer } = await peerOf(t, handlers({}, { Check }));
  peer.send(check(1, { timeout_nano: -1n }), check(3, { timeout_nano: 200n * 86_400n * 1_000_000_000n }));
  t.match(await peer.answers(2), [
    { id: 1, code: Code.deadlineExceeded, message: "timeout" },
    { id: 3, code: Code.ok },
  ]);
  t.equal(runs, 1);
});

// agent-api 0.1
test("calls run at the same time and are answered as they end", async (t) => {
  const waiting = parked();
  const { peer } = await peerOf(t, handlers({ WaitProcess: waiting.handler }));
  peer.send(request(1, agent, "WaitProcess"), check(3), check(5));
  t.same(
    (await peer.answers(2)).map((answer) => answer.id),
    [3, 5],
  );
  waiting.release();
  t.match(await peer.answer(), { id: 1, code: Code.ok });
});

// agent-api 0.1
test("when the client goes its calls are cancelled", async (t) => {
  const waiting = parked();
  const { peer, connections } = await peerOf(t, handlers({ WaitProcess: waiting.handler }));
  peer.send(request(1, agent, "WaitProcess"));
  await waiting.started;
  await peer.stream.close();
  t.match(await waiting.aborted, { code: Code.cancelled });
  await connections[0]?.closed;
  waiting.release();
});

for (const [what, fails, expected] of [
  [
    "an AgentError",
    () => new AgentError(Code.notFound, "no such thing"),
    { code: Code.notFound, message: "no such thing" },
  ],
  ["any other error", () => new Error("broken"), { code: Code.internal, message: "broken" }],
  ["a text", () => "broken", { code: Code.internal, message: "broken" }],
  ["a huge text", () => new Error("x".repeat(5_000_000)), { code: Code.internal, message: /^x{8192}$/ }],
] as const) {
  // agent-api 10.3
  test(`${what} that a handler throws becomes a status without a stack`, async (t) => {
    const Check = async () => {
      throw fails();
    };
    const Version = () => {
      throw fails();
    };
    const { peer } = await peerOf(t, handlers({}, { Check, Version }));
    peer.send(check(1), request(3, "grpc.Health", "Version"));
    t.match(await peer.answers(2), [expected, expected]);
  });
}

test("a handler that answers with something else is our fault, not the connection's end", async (t) => {
  const Check = async () => undefined as unknown as { status: number };
  const Version = async () => ({ agent_version: 5 as unknown as string, grpc_version: "" });
  const { peer } = await peerOf(t, handlers({}, { Check, Version }));
  peer.send(check(1), request(3, "grpc.Health", "Version"));
  t.match(await peer.answers(2), [{ code: Code.internal }, { code: Code.internal }]);
});

test("beyond its share of running calls a connection is refused, others are not", async (t) => {
  const waiting = parked();
  const { peer } = await peerOf(t, handlers({ WaitProcess: waiting.handler }), { maxRunningCalls: 2 });
  peer.send(request(1, agent, "WaitProcess"), request(3, agent, "WaitProcess"), check(5));
  t.match(await peer.answer(), { id: 5, code: Code.resourceExhausted });
  waiting.release();
  await peer.answers(2);
  peer.send(check(7));
  t.match(await peer.answer(), { id: 7, code: Code.ok });
});

test("a burst of calls is answered in one write", async (t) => {
  const [ours, theirs] = memoryStreamPair();
  const connection = serveTtrpc(ours, createDispatcher(handlers()), { log: silentLog });
  const peer = new RawPeer(theirs);
  peer.send(...Array.from({ length: 64 }, (_, i) => check(2 * i + 1, { timeout_nano: 60_000_000_000n })));
  await peer.answers(64);
  t.equal(ours.writes, 1);
  await connection.close();
});

test("an answer that waits to be sent is not written over by the next one", async (t) => {
  const [ours, theirs] = memoryStreamPair();
  const connection = serveTtrpc(ours, createDispatcher(handlers()), { log: silentLog });
  const peer = new RawPeer(theirs);
  theirs.pause();
  for (const id of [1, 3, 5]) {
    const { writes } = ours;
    peer.send(check(id));
    while (ours.writes === writes) await turn();
  }
  theirs.resume();
  const answers = await peer.answers(3);
  t.same(
    answers.map(({ id, code }) => ({ id, code })),
    [1, 3, 5].map((id) => ({ id, code: Code.ok })),
  );
  await connection.close();
});

/** Answers each read with a block full of the number that was asked for; remembers which memory it used. */
function blockReader() {
  const used = new Set<ArrayBufferLike>();
  const ReadStdout = async ({ len }: ReadStreamRequest) => {
    const data = takeBlock().fill(len);
    used.add(data.buffer);
    return { data };
  };
  const ask = (id: number) =>
    request(id, agent, "ReadStdout", { payload: encodeMessage(ReadStreamRequest, { len: id & 255 }) });
  const isWhole = ({ id, payload }: { id: number; payload: Uint8Array }) => {
    const { data } = decodeMessage(ReadStreamResponse, payload);
    return data.length === blockBytes && data.every((byte) => byte === (id & 255));
  };
  return { serving: handlers({ ReadStdout }), used, ask, isWhole };
}

test("output in an answer that waits to be sent is not written over", async (t) => {
  const { serving, ask, isWhole } = blockReader();
  const [ours, theirs] = memoryStreamPair();
  const connection = serveTtrpc(ours, createDispatcher(serving), { log: silentLog });
  const peer = new RawPeer(theirs);
  theirs.pause();
  for (const id of [1, 3, 5]) {
    const { writes } = ours;
    peer.send(ask(id));
    while (ours.writes === writes) await turn();
  }
  theirs.resume();
  t.same((await peer.answers(3)).map(isWhole), [true, true, true]);
  await connection.close();
});

test("the memory of output is used again once it has been sent", async (t) => {
  const { serving, used, ask, isWhole } = blockReader();
  const { peer } = await peerOf(t, serving);
  for (let id = 1; id < 200; id += 2) {
    peer.send(ask(id));
    t.ok(isWhole(await peer.answer()), `answer ${id}`);
  }
  t.ok(used.size < 20, `${used.size} blocks for 100 answers one after the other`);
});

test("input is its handler's own until that gives it back, and its memory is used again then", async (t) => {
  const held: WriteStreamRequest[] = [];
  const used = new Set<ArrayBufferLike>();
  const gates = Array.from({ length: 6 }, () => Promise.withResolvers<void>());
  const WriteStdin = async (request: WriteStreamRequest) => {
    held.push(request);
    await gates[held.length - 1]?.promise;
    const isWhole = request.data.every((byte) => byte === Number(request.exec_id));
    used.add(request.data.buffer);
    giveBack(request.data);
    return { len: isWhole ? request.data.length : 0 };
  };
  const { peer } = await peerOf(t, handlers({ WriteStdin }));
  const ask = (id: number, bytes: number) => {
    const message = { exec_id: String(id & 127), data: new Uint8Array(bytes).fill(id & 127) };
    const payload = encodeMessage(WriteStreamRequest, message);
    peer.send(request(id, agent, "WriteStdin", { payload }));
  };
  const sizes = [30_000, 40_000, 50_000, 60_000, 70_000, 200_000];
  for (const [index, bytes] of sizes.entries()) ask(2 * index + 1, bytes);
  while (held.length < sizes.length) await turn();
  for (const { resolve } of gates) resolve();
  const lengths = (await peer.answers(sizes.length)).map(
    ({ payload }) => decodeMessage(WriteStreamResponse, payload).len,
  );
  t.same(lengths, sizes);
  used.clear();
  for (let id = 101; id < 301; id += 2) {
    ask(id, 32_768);
    t.equal(decodeMessage(WriteStreamResponse, (await peer.answer()).payload).len, 32_768);
  }
  t.ok(used.size < 20, `${used.size} blocks for 100 inputs one after the other`);
});

test("nothing is read from a peer that does not read its answers", async (t) => {
  const [ours, theirs] = memoryStreamPair(10_000);
  const ReadStdout = async () => ({ data: new Uint8Array(9000) });
  const connection = serveTtrpc(ours, createDispatcher(handlers({ ReadStdout })), { log: silentLog });
  const peer = new RawPeer(theirs);
  theirs.pause();
  peer.send(request(1, agent, "ReadStdout"), request(3, agent, "ReadStdout"));
  while (!ours.paused) await turn();
  peer.send(request(5, agent, "ReadStdout"));
  const sentBytes = ours.sentBytes;
  for (let i = 0; i < 5; i++) await turn();
  t.equal(ours.sentBytes, sentBytes);
  theirs.resume();
  t.same(
    (await peer.answers(3)).map((answer) => answer.id),
    [1, 3, 5],
  );
  t.equal(ours.paused, false);
  await connection.close();
});

test("closing lets running calls finish, refuses new ones, and then ends the connection", async (t) => {
  const waiting = parked();
  const { peer, connections } = await peerOf(t, handlers({ WaitProcess: waiting.handler }));
  peer.send(request(1, agent, "WaitProcess"));
  await waiting.started;
  const [connection] = connections;
  const closed = connection?.close(10_000);
  t.equal(connection?.close(), closed, "a second caller joins the first");
  peer.send(check(3));
  t.match(await peer.answer(), { id: 3, code: Code.unavailable });
  waiting.release();
  t.match(await peer.answer(), { id: 1, code: Code.ok });
  await peer.ended;
  await closed;
  await connection?.closed;
});

test("closing without grace aborts what runs", async (t) => {
  const waiting = parked();
  const { peer, connections } = await peerOf(t, handlers({ WaitProcess: waiting.handler }));
  peer.send(request(1, agent, "WaitProcess"));
  await waiting.started;
  await connections[0]?.close();
  t.match(await waiting.aborted, { code: Code.cancelled });
  await peer.ended;
  waiting.release();
});

test("closing ends after its grace though a call goes on", async (t) => {
  const waiting = parked();
  const { peer, connections } = await peerOf(t, handlers({ WaitProcess: waiting.handler }));
  peer.send(request(1, agent, "WaitProcess"));
  await waiting.started;
  await connections[0]?.close(30);
  t.match(await waiting.aborted, { code: Code.cancelled });
  waiting.release();
});

test("a connection that breaks cancels its calls", async (t) => {
  const waiting = parked();
  const [ours, theirs] = memoryStreamPair();
  const dispatcher = createDispatcher(handlers({ WaitProcess: waiting.handler }));
  const connection = serveTtrpc(ours, dispatcher, { log: silentLog });
  new RawPeer(theirs).send(request(1, agent, "WaitProcess"));
  await waiting.started;
  ours.break(new Error("reset"));
  t.match(await waiting.aborted, { code: Code.cancelled });
  await connection.closed;
  waiting.release();
});

// agent-api 10.1
test("whatever bytes a peer sends, the server stands and other connections are served", async (t) => {
  const random = new Random(5);
  const { address, connections } = await ttrpcServer(t, handlers());
  const good = new RawPeer(await dial(address, { timeoutMs: 60_000 }));
  for (let round = 0; round < 40; round++) {
    const bad = await dial(address, { timeoutMs: 60_000 });
    bad.start(
      () => {},
      () => {},
    );
    for (let part = 0; part < 20; part++) {
      const bytes = Uint8Array.from(
        check(2 * part + 1, { timeout_nano: 1n, metadata: [{ key: "k", value: "v" }] }),
      );
      for (let change = random.below(4); change > 0; change--)
        bytes[random.below(bytes.length)] = random.below(256);
      bad.write(bytes);
    }
    good.send(check(2 * round + 1));
    t.match(await good.answer(), { id: 2 * round + 1, code: Code.ok });
    await bad.close();
  }
  await good.stream.close();
  await Promise.all(connections.map((connection) => connection.closed));
  t.equal(connections.length, 41);
});
