import { once } from "node:events";
import { existsSync, mkdirSync, readdirSync, readFileSync, utimesSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { dirname, join } from "node:path";
import { pipeline, Readable } from "node:stream";
import t, { type Test } from "tap";
import { LogPort } from "../../src/agent/log-port.ts";
import { guestLogLine } from "../../src/forwarder/guest-log-line.ts";
import { GuestLog } from "../../src/forwarder/in/guest-log.ts";
import { LineCutter } from "../../src/forwarder/in/line-cutter.ts";
import { fakeVmm } from "../fakes/fake-vmm.ts";
import { until } from "../fakes/until.ts";
import { runForwarder, temporaryFolder } from "./running.ts";

const logPort = 1025;

/** A folder of sandboxes that a forwarder watches, and one where it keeps their logs. */
function places(t: Test) {
  const folder = temporaryFolder(t);
  const [vm, logs] = [join(folder, "vm"), join(folder, "logs")];
  mkdirSync(vm);
  const socketOf = (sandbox: string): string => {
    const path = join(vm, sandbox, "clh.sock");
    mkdirSync(dirname(path), { recursive: true });
    return path;
  };
  const linesOf = (sandbox: string): Record<string, unknown>[] => {
    const file = join(logs, `${sandbox}.log.jsonl`);
    if (!existsSync(file)) return [];
    const whole = readFileSync(file, "utf8").split("\n").slice(0, -1);
    return whole.map((line) => JSON.parse(line));
  };
  return {
    folder,
    logs,
    socketOf,
    linesOf,
    watch: ["--watch", `${vm}/{sandbox}/clh.sock`, "-f", join(folder, "spans")],
  };
}

/** The agent's own log port, where a guest's would be. */
async function guestLog(t: Test, folder: string): Promise<{ port: LogPort; path: string }> {
  const path = join(folder, "agent-log.sock");
  const port = new LogPort({ write() {}, flush() {}, async close() {} });
  await port.listen({ kind: "unix", path });
  t.teardown(() => port.close());
  return { port, path };
}

const messages = (lines: Record<string, unknown>[]): unknown[] => lines.map(({ msg }) => msg);

t.test("the log of a sandbox is kept beside the traces, from its first line on", async (t) => {
  const { folder, logs, socketOf, linesOf, watch } = places(t);
  const { port, path } = await guestLog(t, folder);
  port.write('{"level":"INFO","msg":"before anybody came","source":"agent"}\n');
  await using _vmm = await fakeVmm(socketOf("sb1"), new Map([[logPort, path]]));
  const forwarder = await runForwarder(t, ...watch, "--guest-logs", logs);
  await until("the first line", () => linesOf("sb1").length === 1);
  t.same(linesOf("sb1"), [{ level: "INFO", msg: "before anybody came", source: "agent", sandbox: "sb1" }]);
  port.write('{"msg":"after"}\n');
  await until("the second line", () => linesOf("sb1").length === 2);
  const kept = /^kata_forwarder_guest_log_lines_total\{result="kept"\} 2$/m;
  await until("the count of kept lines", async () => kept.test(await forwarder.metrics()));
  t.match(await forwarder.metrics(), /^kata_forwarder_guest_logs 1$/m);
  await forwarder.stop();
  await until("the end of the connection", () => !port.connected);
});

t.test("a guest whose log comes later, or comes back, is found again", async (t) => {
  const { folder, logs, socketOf, linesOf, watch } = places(t);
  const path = join(folder, "late.sock");
  await runForwarder(t, ...watch, "--guest-logs", logs);
  await using _vmm = await fakeVmm(socketOf("sb"), new Map([[logPort, path]]));
  for (const name of ["first", "second"]) {
    const port = new LogPort({ write() {}, flush() {}, async close() {} });
    port.write(`{"msg":"${name}"}\n`);
    await port.listen({ kind: "unix", path });
    await until("the line of this name", () => messages(linesOf("sb")).includes(name));
    t.pass(`${name} is kept`);
    await port.close();
  }
});

t.test("a guest without a log port leaves no file, and nobody waits for it at the end", async (t) => {
  const { logs, socketOf, watch } = places(t);
  await using _vmm = await fakeVmm(socketOf("mute"), new Map());
  const forwarder = await runForwarder(t, ...watch, "--guest-logs", logs);
  await until("the folder of logs", () => existsSync(logs));
  await forwarder.stop();
  t.same(readdirSync(logs), []);
});

t.test("what is no object becomes one, and a guest cannot name another sandbox", async (t) => {
  const keep = (line: string) => JSON.parse(guestLogLine(line, { sandbox: "sb" }));
  t.same(keep('{"msg":"ok","sandbox":"other"}'), { msg: "ok", sandbox: "sb" });
  for (const line of ["plain \u001b[0m", '"text"', "[1]", "null", '{"half'])
    t.match(keep(line), { level: "INFO", source: "guest", msg: line, sandbox: "sb" });
  t.notOk(guestLogLine("a\nb", { sandbox: "sb" }).includes("\n"), "one line each");
  t.match(keep("a\u009b2J\u007f\u009d"), { msg: "a\u009b2J\u007f\u009d" });
  t.notMatch(
    guestLogLine("\u001b\u0007\u007f\u0080\u009b\u009f", { sandbox: "sb" }),
    /\p{Cc}/u,
    "no terminal obeys it",
  );
});

t.test("lines are cut out of what comes, however it comes, and a line without an end has one", async (t) => {
  const lines: string[] = [];
  const cutter = new LineCutter(8, (line) => lines.push(line));
  for (const chunk of ["on", "e\n\ntw", "o\nthis is much too long", " still\nok\nlast"])
    cutter.take(Buffer.from(chunk));
  cutter.end();
  cutter.end();
  t.same(lines, ["one", "two", "this is ", "ok", "last"]);
});

t.test("a line that comes byte by byte is the line", async (t) => {
  const lines: string[] = [];
  const cutter = new LineCutter(64 * 1024, (line) => lines.push(line));
  const bytes = Buffer.from(`${"é".repeat(3000)}\n${"x".repeat(70 * 1024)}\nshort\n`);
  for (const byte of bytes) cutter.take(Uint8Array.of(byte));
  t.same(lines, ["é".repeat(3000), "x".repeat(64 * 1024), "short"]);
});

t.test("a line that secrets cannot be looked for in is not kept, and its guest has to wait", async (t) => {
  const { folder, logs, socketOf, linesOf, watch } = places(t);
  const { port, path } = await guestLog(t, folder);
  await using _vmm = await fakeVmm(socketOf("sb"), new Map([[logPort, path]]));
  const config = join(folder, "forwarder.toml");
  writeFileSync(config, `[guest_logs]\nfolder = "${logs}"\n[scrub]\npatterns = ["(a+)+b"]\n`);
  await runForwarder(t, ...watch, "--config", config);
  port.write(`{"msg":"${"a".repeat(100)}"}\n{"msg":"aab later"}\n`);
  await until("both lines", () => linesOf("sb").length === 2);
  t.match(linesOf("sb"), [
    { msg: "[scrubbed]", sandbox: "sb" },
    { msg: "[scrubbed] later", sandbox: "sb" },
  ]);
});

t.test("logs of sandboxes that are gone make room, the oldest first", async (t) => {
  const { folder, logs, socketOf, linesOf, watch } = places(t);
  mkdirSync(logs);
  for (const [age, name] of ["old.log.jsonl", "old.log.jsonl.1", "newer.log.jsonl", "else.txt"].entries()) {
    writeFileSync(join(logs, name), "x\n");
    utimesSync(join(logs, name), 1000 + age, 1000 + age);
  }
  const { port, path } = await guestLog(t, folder);
  port.write('{"msg":"here"}\n');
  await using _vmm = await fakeVmm(socketOf("sb"), new Map([[logPort, path]]));
  const config = join(folder, "forwarder.toml");
  writeFileSync(config, `[guest_logs]\nfolder = "${logs}"\nkeep_guests = 2\n`);
  await runForwarder(t, ...watch, "--config", config);
  await until("the line", () => linesOf("sb").length === 1);
  t.same(readdirSync(logs).sort(), ["else.txt", "newer.log.jsonl", "sb.log.jsonl"]);
});

t.test("a file that is full is set aside", async (t) => {
  const { folder, logs, socketOf, linesOf, watch } = places(t);
  const { port, path } = await guestLog(t, folder);
  await using _vmm = await fakeVmm(socketOf("sb"), new Map([[logPort, path]]));
  const config = join(folder, "forwarder.toml");
  writeFileSync(config, `[guest_logs]\nfolder = "${logs}"\nmax_bytes = 100\n`);
  await runForwarder(t, ...watch, "--config", config);
  for (const msg of ["a".repeat(80), "b".repeat(80), "c".repeat(80)]) {
    port.write(`{"msg":"${msg}"}\n`);
    await until("the line of this text", () => messages(linesOf("sb")).includes(msg));
  }
  t.same(readdirSync(logs).sort(), ["sb.log.jsonl", "sb.log.jsonl.1"]);
});

t.test("a guest that floods its log has an end when it is let go of", async (t) => {
  const folder = temporaryFolder(t);
  const [path, socket] = [join(folder, "flood.sock"), join(folder, "vm.sock")];
  const flood = createServer((to) => {
    to.on("error", () => to.destroy());
    pipeline(Readable.from(endlessLines()), to, () => undefined);
  });
  flood.listen(path);
  await once(flood, "listening");
  t.teardown(() => flood.close());
  await using _vmm = await fakeVmm(socket, new Map([[logPort, path]]));
  let bytes = 0;
  const guest = new GuestLog(
    { kind: "hybrid", path: socket, port: logPort },
    {
      write: (lines) => {
        for (const line of lines) bytes += line.length + 1;
        return 0;
      },
      hasRoom: async () => undefined,
    },
  );
  await until("the first bytes", () => bytes > 0);
  const before = bytes;
  await guest.close();
  t.ok(bytes - before <= 1024 * 1024, `${bytes - before} bytes were still taken`);
});

function* endlessLines(): Generator<Buffer> {
  const chunk = Buffer.from(`${"a".repeat(63)}\n`.repeat(1024));
  for (;;) yield chunk;
}
