import { writeFileSync } from "node:fs";
import { join } from "node:path";
import t, { type Test } from "tap";
import { readConfigFile } from "../../src/forwarder/config-file.ts";
import { environmentBackend } from "../../src/forwarder/environment-backend.ts";
import { Collector } from "../fakes/collector.ts";
import { exportOf, linesOf, post, runForwarder, spawnForwarder, temporaryFolder } from "./running.ts";

function file(t: Test, text: string): string {
  const path = join(temporaryFolder(t), "forwarder.toml");
  writeFileSync(path, text);
  return path;
}

t.test("every key of the file is understood", async (t) => {
  const pem = file(t, "PEM");
  const config = await readConfigFile(
    file(
      t,
      `listen = ["unix:///run/t.sock", "tcp://127.0.0.1:4317"]
watch = true
admin = "tcp://127.0.0.1:10241"
ui = "tcp://127.0.0.1:16240"
log_level = "debug"
drain_timeout_ms = 100
[limits]
max_connections = 10
guest_bytes_per_second = 1000
max_body_bytes = 2000
max_grpc_message_bytes = 2500
max_frame_bytes = 3000
max_spans_per_request = 40
max_fields_per_span = 50
[sampling]
keep_one_in = 10
slow_ms = 500
[sampling.slow_ms_by_name]
"grpc.AgentService/CreateContainer" = 900.5
[guest_logs]
folder = "/var/log/guests"
port = 1125
max_bytes = 1000
keep = 0
keep_guests = 7
cids = [3, 42]
[scrub]
patterns = ["password=[a-z]+"]
[[backend]]
type = "otlp-http"
url = "https://collector"
compression = "gzip"
ca_file = "${pem}"
timeout_ms = 1
queue_bytes = 1000
spool = "/var/spool/x"
headers = { authorization = "Bearer x" }
[[backend]]
type = "otlp-grpc"
url = "http://collector:4317"
[[backend]]
type = "zipkin"
url = "http://zipkin"
[[backend]]
type = "datadog"
url = "unix:///var/run/datadog/apm.socket"
[[backend]]
type = "file"
path = "/var/log/spans"
max_bytes = 5
keep = 1
[[backend]]
type = "tree"
`,
    ),
  );
  t.match(config, {
    listen: [{ kind: "unix" }, { kind: "tcp", port: 4317 }],
    admin: { port: 10241 },
    ui: { port: 16240 },
    logLevel: "debug",
    drainMs: 100,
    limits: {
      maxConnections: 10,
      guestBytesPerSecond: 1000,
      maxConnectionsPerGuest: 16,
      maxBodyBytes: 2000,
      maxGrpcMessageBytes: 2500,
      maxFrameBytes: 3000,
      maxSpansPerRequest: 40,
      maxFieldsPerSpan: 50,
    },
    sampling: { keepOneIn: 10, slowMs: 500 },
    guestLogs: {
      folder: "/var/log/guests",
      port: 1125,
      maxBytes: 1000,
      keep: 0,
      keepGuests: 7,
      cids: [3, 42],
    },
    scrub: [/password=[a-z]+/gu],
    backends: [
      {
        kind: "otlp-http",
        endpoint: {
          path: "/v1/traces",
          gzip: true,
          tls: { ca: "PEM" },
          headers: { authorization: "Bearer x" },
          timeoutMs: 1,
        },
        queue: { maxBytes: 1000, spool: "/var/spool/x" },
      },
      { kind: "otlp-grpc", endpoint: { target: "collector:4317", tls: undefined } },
      { kind: "zipkin", endpoint: { path: "/api/v2/spans", address: { port: 9411 } } },
      { kind: "datadog", endpoint: { address: { kind: "unix", path: "/var/run/datadog/apm.socket" } } },
      { kind: "file", maxBytes: 5, keep: 1 },
      { kind: "stdout", format: "tree" },
    ],
  });
  t.equal(config.sampling?.slowMsByName.get("grpc.AgentService/CreateContainer"), 900.5);
  t.ok(config.watch.length > 4);
});

const wrong: [why: string, text: string, complaint: RegExp][] = [
  ["no TOML", "= x", /./],
  ["an unknown key", "lisen = []", /lisen is not known/],
  ["an unknown key of a backend", '[[backend]]\ntype = "tree"\nx = 1', /backend 1: x is not known/],
  ["an unknown kind of backend", '[[backend]]\ntype = "jaeger"', /backend 1: type is none of/],
  ["a backend without its URL", '[[backend]]\ntype = "zipkin"', /url is missing/],
  ["a URL that is none", '[[backend]]\ntype = "zipkin"\nurl = "localhost"', /backend 1: url not an http/],
  ["an address that is none", 'listen = ["x"]', /listen invalid address/],
  ["a pattern that is none", '[scrub]\npatterns = ["("]', /scrub: patterns .*Invalid/],
  ["a number that is none", "[limits]\nmax_connections = -1", /max_connections is not a whole number/],
  [
    "a CID that is no guest's",
    '[guest_logs]\nfolder = "/x"\ncids = [2]',
    /guest_logs: cids is not .* from 3 /,
  ],
  ["a limit that was raised", "[limits]\nmax_body_bytes = 67108865", /max_body_bytes is not .* to 67108864/],
  ["two of one name", '[[backend]]\ntype = "tree"\n[[backend]]\ntype = "tree"', /two backends/],
];
for (const [why, text, complaint] of wrong)
  t.test(`${why} is said, with its place`, async (t) => {
    await t.rejects(readConfigFile(file(t, text)), complaint);
  });

t.test("OpenTelemetry's variables name the default backend", async (t) => {
  t.equal(environmentBackend({}), undefined);
  t.match(
    environmentBackend({
      OTEL_EXPORTER_OTLP_ENDPOINT: "http://c:1",
      OTEL_EXPORTER_OTLP_HEADERS: "a=b%20c,D=e",
    }),
    {
      kind: "otlp-http",
      name: "default",
      endpoint: { path: "/v1/traces", headers: { a: "b c", d: "e" }, timeoutMs: 10_000 },
    },
  );
  t.match(
    environmentBackend({
      OTEL_EXPORTER_OTLP_ENDPOINT: "http://c:1",
      OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: "http://d:2/x",
      OTEL_EXPORTER_OTLP_TIMEOUT: "5",
      OTEL_EXPORTER_OTLP_COMPRESSION: "gzip",
    }),
    { endpoint: { path: "/x", address: { host: "d" }, timeoutMs: 5, gzip: true } },
  );
  const grpc = { OTEL_EXPORTER_OTLP_ENDPOINT: "http://c", OTEL_EXPORTER_OTLP_PROTOCOL: "grpc" };
  t.match(environmentBackend(grpc), { kind: "otlp-grpc", endpoint: { target: "c:4317" } });
  t.throws(() => environmentBackend({ ...grpc, OTEL_EXPORTER_OTLP_PROTOCOL: "x" }), /PROTOCOL/);
});

t.test("backends change while guests run, by a changed file and by SIGHUP", async (t) => {
  const folder = temporaryFolder(t);
  const [socket, config] = [join(folder, "s"), join(folder, "forwarder.toml")];
  const [one, two] = [join(folder, "one"), join(folder, "two")];
  const write = (path: string) =>
    writeFileSync(config, `listen = ["unix://${socket}"]\n[[backend]]\ntype = "file"\npath = "${path}"\n`);
  write(one);
  const forwarder = await spawnForwarder(t, "--config", config);
  await post(socket, exportOf("first"));
  write(two);
  await forwarder.logged("configuration is in force");
  await post(socket, exportOf("second"));
  writeFileSync(config, "nonsense");
  await forwarder.logged("configuration was not taken over");
  t.equal((await post(socket, exportOf("third"))).status, 200, "a wrong file changes nothing");
  t.equal(await forwarder.stop(), 0);
  t.equal(linesOf(one).length, 1);
  t.equal(linesOf(two).length, 2);
});

t.test("the admin address tells metrics and health, and reloads", async (t) => {
  const folder = temporaryFolder(t);
  const collector = new Collector();
  const port = await collector.listen(0);
  t.teardown(() => collector.close());
  const [socket, admin] = [join(folder, "s"), join(folder, "admin")];
  const backend = `http://127.0.0.1:${port}`;
  await runForwarder(t, "-l", `unix://${socket}`, "-o", backend, "--admin", `unix://${admin}`);
  await post(socket, exportOf("counted"));
  await collector.until(() => collector.spans.length === 1);
  const get = (path: string) => post(admin, "", {}, path, "GET");
  t.equal((await get("/healthz")).status, 200);
  t.equal((await get("/readyz")).status, 200);
  t.equal((await get("/what")).status, 404);
  const page = (await get("/metrics")).body.toString();
  t.match(page, /kata_forwarder_spans_received_total\{encoding="otlp-http"\} 1/);
  t.match(page, /kata_forwarder_queue_spans\{backend="otlp-http:127.0.0.1:\d+"\} \d/);
  t.match(page, /kata_forwarder_guests_connected 0/);
  t.equal((await post(admin, "", {}, "/reload")).status, 200);
  t.equal((await post(admin, "", { origin: "http://evil" }, "/reload")).status, 403);
});
