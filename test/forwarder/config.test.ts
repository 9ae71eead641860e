import t from "tap";
import { type Config, readConfig } from "../../src/forwarder/config.ts";

const config = (...args: string[]) => readConfig(args) as Config;

t.test("an address is enough: spans go to stdout", async (t) => {
  t.match(config("--listen", "unix:///run/t.sock"), {
    listen: [{ kind: "unix", path: "/run/t.sock" }],
    file: "-",
    backends: [],
    logLevel: "info",
    drainMs: 5000,
  });
});

t.test("hybrid VSOCK takes the VMM's path, addresses can be repeated", async (t) => {
  const { listen } = config(
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
  const { listen } = config("--socket-path", "/run/vm.vsock");
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
    const { backends, file } = config("-l", "unix:///x", "--otlp", url);
    t.match(backends, [{ address: { kind: "tcp", port }, authority, path }]);
    t.equal(file, undefined, "and no file unless asked for");
  });

const wrong: [why: string, ...args: string[]][] = [
  ["no address"],
  ["an address that is none", "--listen", "nonsense"],
  ["a relative socket path", "--socket-path", "vm.vsock"],
  ["a collector that is no URL", "-l", "unix:///x", "--otlp", "localhost:4318"],
  ["a collector behind TLS", "-l", "unix:///x", "--otlp", "https://localhost:4318"],
  ["an unknown level", "-l", "unix:///x", "--log-level", "loud"],
  ["a limit that is no number", "-l", "unix:///x", "--drain-timeout", "soon"],
  ["an unknown option", "--what"],
];
for (const [why, ...args] of wrong)
  t.test(`${why} is wrong usage, and says how it is done`, async (t) => {
    t.match(readConfig(args), { status: 2, text: /error: .*\n.*--help/s });
  });

t.test("--help and --version are no errors", async (t) => {
  t.match(readConfig(["--help"]), { status: 0, text: /--socket-path/ });
  t.match(readConfig(["--version"]), { status: 0, text: /^\d/ });
});
