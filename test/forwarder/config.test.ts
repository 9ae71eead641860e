import t from "tap";
import type { Config } from "../../src/forwarder/config.ts";
import { type Arguments, readArguments } from "../../src/forwarder/read-arguments.ts";
import { resolveConfig } from "../../src/forwarder/resolve-config.ts";

const config = (...args: string[]): Promise<Config> => resolveConfig(readArguments(args) as Arguments, {});

t.test("an address is enough: spans go to stdout", async (t) => {
  t.match(await config("--listen", "unix:///run/t.sock"), {
    listen: [{ kind: "unix", path: "/run/t.sock" }],
    backends: [{ kind: "stdout", format: "json" }],
    logLevel: "info",
    drainMs: 5000,
  });
});

t.test("hybrid VSOCK takes the VMM's path, addresses can be repeated", async (t) => {
  const { listen } = await config(
    "-l",
    "tcp://127.0.0.1:4318",
    "-l",
    "vsock://-1:10240",
    "--socket-path",
    "/run/vm.vsock",
  );
  t.same(listen, [
    { kind: "tcp", host: "127.0.0.1", port: 4318 },
    { kind: "vsock", cid: 0xffffffff, port: 10240 },
    { kind: "hybrid", path: "/run/vm.vsock", port: 10240 },
  ]);
});

t.test("nothing listens on VSOCK unless it is asked for by address", async (t) => {
  const { listen } = await config("--socket-path", "/run/vm.vsock");
  t.notOk(listen.some((address) => address.kind === "vsock"));
});

const urls: [url: string, port: number, authority: string, path: string][] = [
  ["http://localhost:4318", 4318, "localhost:4318", "/v1/traces"],
  ["http://localhost", 4318, "localhost", "/v1/traces"],
  ["http://collector:80/base/", 4318, "collector", "/base/v1/traces"],
  ["http://collector:8080/v1/traces", 8080, "collector:8080", "/v1/traces"],
];
for (const [url, port, authority, path] of urls)
  t.test(`a collector at ${url} gets ${path}`, async (t) => {
    const { backends } = await config("-l", "unix:///x", "--otlp", url);
    t.match(backends, [{ kind: "otlp-http", endpoint: { address: { kind: "tcp", port }, authority, path } }]);
    t.equal(backends.length, 1, "and no file unless asked for");
  });

t.test("without an address it does not start", async (t) => {
  await t.rejects(config(), /--listen/);
});

t.test("the options of upstream's program are understood", async (t) => {
  const args = ["--socket-path", "/run/vm.vsock", "--vsock-cid", "any", "--vsock-port", "10241"];
  const { listen } = await config(...args, "--otlp-endpoint", "http://localhost:4317", "--trace-name", "x");
  t.match(listen, [{ kind: "hybrid" }, { kind: "vsock", cid: 0xffffffff, port: 10241 }]);
  for (const dump of [["--dump-only"], ["--dump-only", "true"]])
    t.match((await config(...args, "--otlp", "http://localhost:4318", ...dump)).backends, [
      { kind: "stdout" },
    ]);
});

const wrong: [why: string, ...args: string[]][] = [
  ["an address that is none", "--listen", "nonsense"],
  ["a relative socket path", "--socket-path", "vm.vsock"],
  ["a collector that is no URL", "-l", "unix:///x", "--otlp", "localhost:4318"],
  ["a template without a place for the sandbox", "--watch", "/run/vm.sock"],
  ["an unknown level", "-l", "unix:///x", "--log-level", "loud"],
  ["a limit that is no number", "-l", "unix:///x", "--drain-timeout", "soon"],
  ["an unknown option", "--what"],
];
for (const [why, ...args] of wrong)
  t.test(`${why} is wrong usage, and says how it is done`, async (t) => {
    t.match(readArguments(args), { status: 2, text: /error: .*\n.*--help/s });
  });

t.test("--help and --version are no errors", async (t) => {
  t.match(readArguments(["--help"]), { status: 0, text: /--socket-path/ });
  t.match(readArguments(["--version"]), { status: 0, text: /^\d/ });
});
