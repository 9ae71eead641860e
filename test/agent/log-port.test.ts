import { connect } from "node:net";
import { type Test, test } from "tap";
import { createLog } from "../../src/agent/create-log.ts";
import { LogPort } from "../../src/agent/log-port.ts";
import { version } from "../../src/base/version.ts";
import { eventually } from "../fakes/real-agent.ts";
import { socketFolder } from "../vsock/socket-folder.ts";

/** Stands for stdout. */
function listOfLines() {
  const lines: string[] = [];
  return { lines, write: (line: string) => void lines.push(line), flush() {}, async close() {} };
}

async function openPort(t: Test, maxBytes?: number) {
  const refuge = listOfLines();
  const port = new LogPort(refuge, maxBytes);
  const path = `${socketFolder(t)}/log`;
  await port.listen({ kind: "unix", path });
  t.teardown(() => port.close());
  return { port, path, refuge };
}

/** A client that can be asked for the text so far. */
function reader(path: string) {
  const socket = connect(path);
  let text = "";
  const changed = { wake: () => {} };
  const note = () => changed.wake();
  socket.setEncoding("utf8").on("data", (chunk) => {
    text += chunk;
    note();
  });
  const ended = new Promise<void>((resolve) => socket.once("close", () => resolve()));
  const until = async (wanted: string): Promise<string> => {
    while (!text.includes(wanted))
      await new Promise<void>((resolve) => Object.assign(changed, { wake: resolve }));
    return text;
  };
  return { socket, ended, until };
}

test("lines since the boot wait for a client, who then gets all that come (agent-api 6.6)", async (t) => {
  const { port, path } = await openPort(t);
  port.write("one\n");
  port.write("two\n");
  const client = reader(path);
  t.equal(await client.until("two\n"), "one\ntwo\n");
  port.write("three\n");
  t.equal(await client.until("three\n"), "one\ntwo\nthree\n");
  await port.close();
  await client.ended;
});

test("one client at a time; who comes back gets what came meanwhile", async (t) => {
  const { port, path, refuge } = await openPort(t);
  const first = reader(path);
  port.write("one\n");
  await first.until("one\n");
  const second = reader(path);
  await second.ended;
  port.write("two\n");
  await first.until("two\n");
  first.socket.destroy();
  await first.ended;
  await eventually(() => !port.connected);
  port.write("three\n");
  const third = reader(path);
  t.equal(await third.until("three\n"), "three\n");
  t.same(refuge.lines, []);
});

// agent-api 6.6
test("nobody who logs waits for a client; what had no room is counted, and told once", async (t) => {
  const { port, path } = await openPort(t, 1000);
  const line = (number: number) => `${String(number).padStart(99, "0")}\n`;
  for (let number = 0; number < 25; number += 1) port.write(line(number));
  const client = reader(path);
  const text = await client.until(line(24));
  const [notice = "", ...lines] = text.trimEnd().split("\n");
  t.match(JSON.parse(notice), { msg: "15 log lines were dropped", level: "WARN", name: "kata-agent" });
  t.same(
    lines.map((kept) => Number(kept)),
    [15, 16, 17, 18, 19, 20, 21, 22, 23, 24],
  );
  port.write("more\n");
  t.equal((await client.until("more\n")).split("dropped").length, 2);
});

test("a client that does not read holds nobody back", async (t) => {
  const { port, path } = await openPort(t, 64 * 1024);
  const client = reader(path);
  port.write("begin\n");
  await client.until("begin\n");
  client.socket.pause();
  const line = `${"x".repeat(1023)}\n`;
  // Far more than socket, stream and ring can hold.
  for (let count = 0; count < 20_000; count += 1) {
    port.write(line);
    if (count % 100 === 0) await new Promise(setImmediate);
  }
  client.socket.resume();
  port.write("end\n");
  t.match(await client.until("end\n"), / log lines were dropped/);
});

test("a port that cannot be opened gives its lines to the refuge, and so at a crash without a client", async (t) => {
  const refuge = listOfLines();
  const port = new LogPort(refuge);
  port.write("one\n");
  await t.rejects(port.listen({ kind: "unix", path: "/nonexistent/log" }), { code: "ENOENT" });
  port.write("two\n");
  t.same(refuge.lines, ["one\n", "two\n"]);
  const open = await openPort(t);
  open.port.write("three\n");
  open.port.giveUp();
  t.same(open.refuge.lines, ["three\n"]);
});

test("a line has the fields that the runtimes read (agent-api 6.6)", async (t) => {
  const target = listOfLines();
  const log = createLog("trace", target);
  log.debug({ container: "c1" }, "first");
  log.error({}, "second");
  const [first, second] = target.lines.map((line) => JSON.parse(line));
  t.same(Object.keys(first).sort(), [
    ...["container", "level", "msg", "name", "pid", "source", "subsystem", "ts", "version"],
  ]);
  t.match(first, {
    msg: "first",
    level: "DEBG",
    pid: String(process.pid),
    name: "kata-agent",
    source: "agent",
    subsystem: "agent",
    version,
  });
  t.match(first.ts, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
  t.equal(second.level, "ERRO");
});
