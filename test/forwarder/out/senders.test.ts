import { execFileSync } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createServer } from "node:https";
import { createServer as createTcpServer, type Socket } from "node:net";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import * as grpc from "@grpc/grpc-js";
import t, { type Test } from "tap";
import { silentLog } from "../../../src/base/log.ts";
import { backendByUrl } from "../../../src/forwarder/backend-url.ts";
import { Metrics } from "../../../src/forwarder/metrics.ts";
import { createOutput } from "../../../src/forwarder/out/create-output.ts";
import { treeText } from "../../../src/forwarder/out/tree-text.ts";
import { Collector } from "../../fakes/collector.ts";
import { until } from "../../fakes/until.ts";
import { exportOf, temporaryFolder } from "../running.ts";
import { tracedPod } from "../traced-pod.ts";

const exported = (name: string, origin = "o") => ({ body: exportOf(name), spans: 1, origin });
const print = async () => {};

/** A certificate of its own for localhost, as PEM texts. */
function certificate(t: Test): { cert: string; key: string } {
  const folder = temporaryFolder(t);
  const [key, cert] = [join(folder, "key.pem"), join(folder, "cert.pem")];
  const subject = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"];
  const made = [
    "-newkey",
    "ec",
    "-pkeyopt",
    "ec_paramgen_curve:prime256v1",
    "-nodes",
    "-keyout",
    key,
    "-out",
    cert,
  ];
  execFileSync("openssl", ["req", "-x509", "-days", "2", ...made, ...subject], { stdio: "ignore" });
  return { key: readFileSync(key, "utf8"), cert: readFileSync(cert, "utf8") };
}

t.test("OTLP over HTTPS: headers, gzip, and a certificate of our own", async (t) => {
  const { cert, key } = certificate(t);
  const got = Promise.withResolvers<{ headers: NodeJS.Dict<string | string[]>; body: Buffer }>();
  const server = createServer(
    { cert, key, ca: cert, requestCert: true, rejectUnauthorized: true },
    (request, response) => {
      const chunks: Buffer[] = [];
      request.on("data", (chunk) => chunks.push(chunk));
      request.on("end", () => {
        response.end();
        got.resolve({ headers: request.headers, body: Buffer.concat(chunks) });
      });
    },
  );
  await new Promise<void>((resolve) => server.listen(0, resolve));
  t.teardown(() => server.close());
  const { port } = server.address() as { port: number };
  const options = { tls: { ca: cert, cert, key }, headers: { authorization: "Bearer x" }, gzip: true };
  const config = backendByUrl("otlp-http", `https://localhost:${port}`, options);
  const output = await createOutput(config, print, new Metrics(), silentLog);
  t.teardown(() => output.close(0));
  await output.take(exported("secure"));
  const { headers, body } = await got.promise;
  t.match(headers, { authorization: "Bearer x", "content-encoding": "gzip" });
  t.same(gunzipSync(body), exportOf("secure"));
});

t.test("a server whose certificate nobody vouches for gets nothing", async (t) => {
  const { cert, key } = certificate(t);
  const server = createServer({ cert, key }, () => t.fail("a request came"));
  await new Promise<void>((resolve) => server.listen(0, resolve));
  t.teardown(() => server.close());
  const { port } = server.address() as { port: number };
  const failed = new Promise<string>((resolve) => {
    const log = { ...silentLog, warn: (fields: object) => resolve((fields as { reason: string }).reason) };
    const config = backendByUrl("otlp-http", `https://localhost:${port}`);
    void createOutput(config, print, new Metrics(), log).then((output) => {
      t.teardown(() => output.close(0));
      return output.take(exported("secret"));
    });
  });
  t.match(await failed, /self.signed/);
});

t.test(
  "OTLP over gRPC: headers come along, UNAVAILABLE is tried again, INVALID_ARGUMENT is not",
  async (t) => {
    const codes = [14, 3, 0];
    const seen: string[] = [];
    const done = Promise.withResolvers<void>();
    const server = new grpc.Server();
    const asIs = (bytes: Buffer) => bytes;
    server.register(
      "/opentelemetry.proto.collector.trace.v1.TraceService/Export",
      (call: grpc.ServerUnaryCall<Buffer, Buffer>, respond: grpc.sendUnaryData<Buffer>) => {
        seen.push(`${call.metadata.get("x-key")} ${call.request.includes("one") ? "one" : "two"}`);
        const code = codes.shift() ?? 0;
        if (code === 0) respond(null, Buffer.alloc(0));
        else respond({ code, details: "no" });
        if (codes.length === 0) done.resolve();
      },
      asIs,
      asIs,
      "unary",
    );
    const port = await new Promise<number>((resolve, reject) =>
      server.bindAsync("127.0.0.1:0", grpc.ServerCredentials.createInsecure(), (error, bound) =>
        error ? reject(error) : resolve(bound),
      ),
    );
    t.teardown(() => server.forceShutdown());
    const config = backendByUrl("otlp-grpc", `http://127.0.0.1:${port}`, {
      headers: { "x-key": "k" },
      gzip: true,
    });
    const metrics = new Metrics();
    const output = await createOutput(config, print, metrics, silentLog);
    t.teardown(() => output.close(0));
    await output.take(exported("one"));
    await until("the first one to be sent again", () => seen.length >= 2);
    await output.take(exported("two"));
    await done.promise;
    t.same(seen, ["k one", "k one", "k two"]);
    t.match(await metrics.text(), /spans_dropped_total\{backend="[^"]*",reason="refused"\} 1/);
  },
);

t.test("Retry-After is kept to, and a partial success counts what was not wanted", async (t) => {
  const collector = new Collector();
  const port = await collector.listen(0);
  t.teardown(() => collector.close());
  let answers = 0;
  collector.answer = (_request, response) => {
    if (answers++ === 0) response.writeHead(429, { "retry-after": "0" }).end();
    else response.end(Buffer.from([0x0a, 0x02, 0x08, 0x01]));
  };
  const metrics = new Metrics();
  const config = backendByUrl("otlp-http", `http://127.0.0.1:${port}`);
  const output = await createOutput(config, print, metrics, silentLog);
  await output.take(exported("partly"));
  await collector.until(() => answers === 2);
  await output.close(1000);
  t.match(await metrics.text(), /reason="refused"\} 1/);
});

t.test("a backend that is away delays no other, and one origin does not fill its queue", async (t) => {
  const config = backendByUrl("otlp-http", "http://127.0.0.1:1", {
    queue: { maxBytes: 4000, spool: undefined },
  });
  const output = await createOutput(config, print, new Metrics(), silentLog);
  t.teardown(() => output.close(0));
  for (let i = 0; output.hasRoom(100, "loud"); i++) await output.take(exported(`${i}`, "loud"));
  t.ok(output.hasRoom(100, "quiet"));
  t.ok(output.waiting().bytes <= 2000);
});

t.test("a backend that answers before it has read the request gets no more of it", async (t) => {
  const arrived = Promise.withResolvers<Socket>();
  const server = createTcpServer((socket) => {
    socket.on("error", () => {});
    socket.once("data", () => {
      socket.pause();
      socket.write("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n");
      arrived.resolve(socket);
    });
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  t.teardown(() => server.close());
  const { port } = server.address() as { port: number };
  const config = backendByUrl("otlp-http", `http://127.0.0.1:${port}`);
  const output = await createOutput(config, print, new Metrics(), silentLog);
  t.teardown(() => output.close(0));
  // More than the buffers of both sockets hold.
  const body = Buffer.alloc(24 * 1024 * 1024);
  await output.take({ body, spans: 1, origin: "o" });
  const socket = await arrived.promise;
  await until("nothing to wait", () => output.waiting().spans === 0);
  const closed = new Promise((resolve) => socket.once("close", resolve));
  socket.resume();
  await closed;
  t.ok(socket.bytesRead < body.length, `${socket.bytesRead}`);
});

t.test("the tree shows who called whom, and no control characters", async (t) => {
  const lines = treeText(tracedPod().body).split("\n");
  t.same(lines, [
    "kata-agent 0af7651916cd43dd8448eb211c80319c",
    "  grpc.AgentService/CreateContainer 2.0 ms",
    "    crun create 0.0 ms ERROR INTERNAL",
  ]);
  t.notOk(treeText(exportOf("\u001b[31mred")).includes("\u001b"));
});
