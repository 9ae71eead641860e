import { existsSync, readFileSync, statSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import t from "tap";
import { freePort } from "../../scripts/loopback.ts";
import { silentLog } from "../../src/base/log.ts";
import { span } from "../../src/trace/span.ts";
import { startTracing } from "../../src/trace/tracing.ts";
import { parseOtlpLine } from "../../src/view/otlp-json.ts";
import { dial } from "../../src/vsock/dial.ts";
import { Collector } from "../fakes/collector.ts";
import { exportOf, linesOf, post, runForwarder, spawnForwarder, temporaryFolder } from "./running.ts";

const json = { "content-type": "application/json" };

t.test("a traced program's spans end in the file, as lines that agentctl reads", async (t) => {
  const folder = temporaryFolder(t);
  const [path, file] = [join(folder, "s"), join(folder, "out.jsonl")];
  const forwarder = await spawnForwarder(t, "--listen", `unix://${path}`, "--file", file);
  const tracing = await startTracing({
    mode: "isolated",
    connect: (timeoutMs) => dial({ kind: "unix", path }, { timeoutMs }),
    authority: "localhost",
    serviceVersion: "1",
    log: silentLog,
  });
  await span("work", { "kata.count": 1 }, async (live) => live.event("half"));
  t.match(await tracing.shutdown(), { sent: 2, complete: true });
  const [line = "", ...rest] = readFileSync(file, "utf8").trimEnd().split("\n");
  t.same(rest, []);
  const { spans, problems } = parseOtlpLine(line);
  t.same(problems, []);
  t.same(
    spans.map(({ name, service }) => [name, service]),
    [
      ["work", "kata-agent"],
      ["sandbox", "kata-agent"],
    ],
  );
  t.equal(statSync(file).mode & 0o777, 0o600);
  t.equal(await forwarder.stop(), 0);
  t.notOk(existsSync(path), "the socket is gone");
});

t.test("hybrid VSOCK listens where the VMM connects for port 10240", async (t) => {
  const folder = temporaryFolder(t);
  const forwarder = await spawnForwarder(t, "--socket-path", join(folder, "vm.vsock"));
  t.equal((await post(join(folder, "vm.vsock_10240"), exportOf("a"))).status, 200);
  t.equal(await forwarder.stop("SIGINT"), 0);
  t.match(JSON.parse(forwarder.stdout()), { resourceSpans: [{ scopeSpans: [{ spans: [{ name: "a" }] }] }] });
});

t.test("it answers in the type of the request, gzip or not", async (t) => {
  const folder = temporaryFolder(t);
  const [path, file] = [join(folder, "s"), join(folder, "out")];
  await runForwarder(t, "-l", `unix://${path}`, "-f", file);
  const gzip = { "content-encoding": "gzip" };
  const body = '{"resourceSpans":[{"scopeSpans":[{"spans":[{"name":"json"}]}]}]}';
  const rows = [
    [await post(path, exportOf("plain")), "application/x-protobuf", ""],
    [await post(path, gzipSync(exportOf("zipped")), gzip), "application/x-protobuf", ""],
    [await post(path, body, json), "application/json", "{}"],
    [await post(path, gzipSync(body), { ...json, ...gzip }), "application/json", "{}"],
    [await post(path, ""), "application/x-protobuf", ""],
    [await post(path, '{"resourceSpans":[]}', json), "application/json", "{}"],
  ] as const;
  for (const [answer, type, text] of rows) {
    t.equal(answer.status, 200);
    t.equal(answer.headers["content-type"], type);
    t.equal(answer.body.toString(), text);
  }
  t.equal(linesOf(file).length, 4, "requests without spans leave no line");
});

t.test("what it cannot take it refuses, as google.rpc.Status in the request's type", async (t) => {
  const folder = temporaryFolder(t);
  const path = join(folder, "s");
  await runForwarder(t, "-l", `unix://${path}`, "-f", join(folder, "out"));
  const gzip = { "content-encoding": "gzip" };
  const rows: [why: string, status: number, ...Parameters<typeof post>][] = [
    ["broken protobuf", 400, path, Buffer.from([0x0a, 0x05, 0x01])],
    ["protobuf that is broken further in", 400, path, Buffer.from([0x0a, 0x02, 0x12, 0x05])],
    ["broken JSON", 400, path, "{", json],
    ["JSON that is no export", 400, path, "{}", json],
    ["JSON that is nested too deeply", 400, path, deepJson(10_000), json],
    ["protobuf with too many items", 400, path, Buffer.alloc(2 ** 20, Buffer.from([0x0a, 0x00]))],
    ["broken gzip", 400, path, "no gzip", gzip],
    ["a gzip bomb", 413, path, gzipSync(Buffer.alloc(65 * 1024 * 1024)), gzip],
    ["too long a body", 413, path, Buffer.alloc(64 * 1024 * 1024 + 1)],
    ["another encoding", 415, path, exportOf("a"), { "content-encoding": "br" }],
    ["another type", 415, path, exportOf("a"), { "content-type": "text/plain" }],
    ["another path", 404, path, exportOf("a"), {}, "/v1/metrics"],
    ["another method", 405, path, "", {}, "/v1/traces", "GET"],
  ];
  for (const [why, status, ...args] of rows)
    await t.test(why, async (t) => {
      const answer = await post(...args).catch((error: NodeJS.ErrnoException) => error.code);
      // A sender that is still at it when the connection closes may see that instead of the answer.
      if (typeof answer !== "object") t.match(answer, /EPIPE|ECONNRESET/, `${why} ${status}`);
      else {
        t.equal(answer.status, status);
        if (answer.headers["content-type"] === "application/json")
          t.match(JSON.parse(answer.body.toString()), { code: 3, message: /./ });
        else t.equal(answer.body[0], 0x08, "field 1 of a Status");
      }
    });
  t.equal((await post(path, exportOf("fine"))).status, 200, "and goes on");
});

t.test("a collector gets the guest's bytes untouched", async (t) => {
  const folder = temporaryFolder(t);
  const path = join(folder, "s");
  const collector = new Collector();
  const port = await collector.listen(0);
  t.teardown(() => collector.close());
  const forwarder = await runForwarder(t, "-l", `unix://${path}`, "-o", `http://127.0.0.1:${port}`);
  const body = exportOf("untouched");
  await post(path, body);
  await collector.until(() => collector.bodies.length === 1);
  t.same(collector.bodies[0], body);
  t.equal(await forwarder.stop(), 0);
});

t.test("spans wait for a collector that is away, are joined, and lose nothing", async (t) => {
  const folder = temporaryFolder(t);
  const path = join(folder, "s");
  const port = await freePort();
  const forwarder = await runForwarder(t, "-l", `unix://${path}`, "-o", `http://127.0.0.1:${port}`);
  for (let i = 0; i < 20; i++) t.equal((await post(path, exportOf(`span ${i}`))).status, 200);
  await forwarder.logged("backend does not answer, retrying");
  const collector = new Collector();
  await collector.listen(port);
  t.teardown(() => collector.close());
  await collector.until(() => collector.spans.length === 20);
  t.same(
    collector.spans.map((each) => each.name),
    Array.from({ length: 20 }, (_, i) => `span ${i}`),
  );
  t.ok(collector.bodies.length < 10, "not one by one");
  await forwarder.logged("backend answers again");
});

t.test("the bad bytes of one guest do not cost the others theirs", async (t) => {
  const folder = temporaryFolder(t);
  const path = join(folder, "s");
  const port = await freePort();
  const forwarder = await runForwarder(t, "-l", `unix://${path}`, "-o", `http://127.0.0.1:${port}`);
  // An attribute that is broken inside: nobody looks there on the way to a collector.
  const bad = Buffer.from("0a0812061204" + "4a020a05", "hex");
  await post(path, exportOf("first"));
  await forwarder.logged("backend does not answer, retrying");
  for (const body of [exportOf("second"), bad, exportOf("third")]) await post(path, body);
  const collector = new Collector();
  collector.answer = (_request, response, body) => {
    response.writeHead(body.indexOf(bad) >= 0 ? 400 : 200).end();
  };
  await collector.listen(port);
  t.teardown(() => collector.close());
  await forwarder.logged("export refused by the backend");
  await collector.until(() => collector.bodies.some((body) => Buffer.compare(body, exportOf("third")) === 0));
  t.equal(await forwarder.stop(), 0);
});

t.test("what has been accepted is delivered before it ends", async (t) => {
  const folder = temporaryFolder(t);
  const path = join(folder, "s");
  const collector = new Collector();
  const port = await collector.listen(0);
  t.teardown(() => collector.close());
  const { answer } = collector;
  collector.answer = (request, response, body) => void setTimeout(() => answer(request, response, body), 100);
  const forwarder = await spawnForwarder(t, "-l", `unix://${path}`, "-o", `http://127.0.0.1:${port}`);
  for (let i = 0; i < 5; i++) await post(path, exportOf(`span ${i}`));
  t.equal(await forwarder.stop(), 0);
  t.equal(collector.spans.length, 5);
});

t.test("a collector that is away holds up the end no longer than the limit", async (t) => {
  const folder = temporaryFolder(t);
  const path = join(folder, "s");
  const options = ["-o", `http://127.0.0.1:${await freePort()}`, "--drain-timeout", "100"];
  const forwarder = await runForwarder(t, "-l", `unix://${path}`, ...options);
  await post(path, exportOf("lost"));
  t.equal(await forwarder.stop(), 0);
  t.match(forwarder.log.at(-1), { msg: "exports lost" });
});

t.test("many guests at once, one of them silent and one that hangs up in the middle", async (t) => {
  const folder = temporaryFolder(t);
  const [path, file] = [join(folder, "s"), join(folder, "out")];
  await runForwarder(t, "-l", `unix://${path}`, "-f", file);
  const silent = connect(path);
  t.teardown(() => silent.destroy());
  const rude = connect(path);
  rude.write(
    "POST /v1/traces HTTP/1.1\r\ncontent-type: application/x-protobuf\r\ncontent-length: 100\r\n\r\nabc",
  );
  rude.end();
  const answers = await Promise.all(
    Array.from({ length: 100 }, (_, i) => post(path, exportOf(`guest ${i}`))),
  );
  t.ok(answers.every((answer) => answer.status === 200));
  t.equal(linesOf(file).length, 100);
});

t.test("a file that cannot be opened is said, and ends it with 1", async (t) => {
  const folder = temporaryFolder(t);
  const args = ["-l", `unix://${join(folder, "s")}`, "-f", join(folder, "none", "out")];
  await t.rejects(spawnForwarder(t, ...args), /cannot start/);
  t.notOk(existsSync(join(folder, "s")));
});

function deepJson(depth: number): string {
  const value = `${'{"arrayValue":{"values":['.repeat(depth)}${"]}}".repeat(depth)}`;
  return `{"resourceSpans":[{"resource":{"attributes":[{"key":"k","value":${value}}]}}]}`;
}
