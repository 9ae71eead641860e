/** Guests with AF_VSOCK, reached over Unix sockets here: a test of the kernel's is in test/vm/forwarder.test.ts. */
import { once } from "node:events";
import { existsSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import t, { type Test } from "tap";
import { LogPort } from "../../src/agent/log-port.ts";
import { silentLog } from "../../src/base/log.ts";
import { guestLogDefaults } from "../../src/forwarder/guest-log-config.ts";
import { GuestLogs } from "../../src/forwarder/guest-logs.ts";
import { Metrics } from "../../src/forwarder/metrics.ts";
import { kernelReach, VsockLogs, type VsockReach } from "../../src/forwarder/vsock-logs.ts";
import { until } from "../fakes/until.ts";
import { temporaryFolder } from "./running.ts";

/** Logs of guests whose log ports are sockets in a folder, `<cid>`. A guest whose socket is gone, is gone. */
function places(t: Test, cids: readonly number[] = []) {
  const folder = temporaryFolder(t);
  const config = { ...guestLogDefaults(join(folder, "logs")), cids };
  const logs = new GuestLogs(config, () => [], new Metrics(), silentLog);
  const dialled: number[] = [];
  const reach: VsockReach = {
    addressOf(cid) {
      dialled.push(cid);
      return { kind: "unix", path: join(folder, `${cid}`) };
    },
    isGone: (error) => (error as NodeJS.ErrnoException).code === "ENOENT",
  };
  const vsock = new VsockLogs(logs, reach);
  t.teardown(() => vsock.close());
  const linesOf = (cid: number): Record<string, unknown>[] => {
    const file = join(folder, "logs", `vsock:${cid}.log.jsonl`);
    if (!existsSync(file)) return [];
    const whole = readFileSync(file, "utf8").split("\n").slice(0, -1);
    return whole.map((line) => JSON.parse(line));
  };
  return { folder, logs, reach, vsock, linesOf, dialled };
}

/** The agent's own log port, as that of the guest with this CID. */
async function guest(folder: string, cid: number, ...messages: string[]): Promise<LogPort> {
  const port = new LogPort({ write() {}, flush() {}, async close() {} });
  for (const msg of messages)
    port.write(`${JSON.stringify({ msg, sandbox: "another", guest_since: "x" })}\n`);
  await port.listen({ kind: "unix", path: join(folder, `${cid}`) });
  return port;
}

t.test(
  "a guest that came over AF_VSOCK is dialled back, once, and its lines say whose they are",
  async (t) => {
    const { folder, logs, vsock, linesOf, dialled } = places(t);
    const port = await guest(folder, 42, "since the boot");
    t.teardown(() => port.close());
    for (let connections = 0; connections < 3; connections++) vsock.seen(42);
    await until("the first line", () => linesOf(42).length === 1);
    t.match(linesOf(42), [{ msg: "since the boot", sandbox: "vsock:42", guest_since: /^\d{4}-.*Z$/ }]);
    t.same(dialled, [42]);
    t.equal(logs.count, 1);
    await vsock.close();
    await vsock.close();
    t.equal(logs.count, 0);
    await until("the end of the connection", () => !port.connected);
    vsock.seen(42);
    t.equal(logs.count, 0, "nobody is followed after the end");
  },
);

t.test("a CID that is another guest's later has its lines told apart", async (t) => {
  const { folder, logs, vsock, linesOf } = places(t);
  for (const [index, name] of ["first", "second"].entries()) {
    const port = await guest(folder, 7, name);
    vsock.seen(7);
    await until("the guest's line", () => linesOf(7).length === index + 1);
    await port.close();
    rmSync(join(folder, "7"), { force: true });
    await until("the guest to be given up", () => logs.count === 0);
  }
  const [first, second] = linesOf(7);
  t.match([first, second], [{ msg: "first" }, { msg: "second" }]);
  t.not(first?.["guest_since"], second?.["guest_since"]);
});

t.test("whoever takes over follows the same guests, though none of them connects again", async (t) => {
  const { folder, logs, reach, vsock, linesOf } = places(t);
  const port = await guest(folder, 8, "before");
  t.teardown(() => port.close());
  vsock.seen(8);
  await until("the line", () => linesOf(8).length === 1);
  t.same(vsock.cids, [8]);
  const { cids } = vsock;
  await vsock.close();
  const next = new VsockLogs(logs, reach, cids);
  t.teardown(() => next.close());
  port.write('{"msg":"after"}\n');
  await until("the line after it", () => linesOf(8).length === 2);
  t.match(linesOf(8)[1], { msg: "after", sandbox: "vsock:8" });
});

t.test("a listed guest is asked before it has sent anything", async (t) => {
  const { folder, linesOf } = places(t, [9, 9]);
  const port = await guest(folder, 9, "nobody has seen me");
  t.teardown(() => port.close());
  await until("the line", () => linesOf(9).length === 1);
  t.match(linesOf(9), [{ msg: "nobody has seen me", sandbox: "vsock:9" }]);
});

t.test("guests that hang up or say nothing are waited for, hold nobody up, and leave no file", async (t) => {
  const { folder, logs, vsock, linesOf } = places(t);
  const behaviours = new Map([
    [3, "hangs up"],
    [4, "says nothing"],
  ]);
  const reached = new Set<number>();
  for (const [cid, behaviour] of behaviours) {
    const server = createServer((socket) => {
      reached.add(cid);
      if (behaviour === "hangs up") socket.destroy();
      else t.teardown(() => socket.destroy());
    });
    server.listen(join(folder, `${cid}`));
    await once(server, "listening");
    t.teardown(() => server.close());
    vsock.seen(cid);
  }
  const port = await guest(folder, 5, "beside them");
  t.teardown(() => port.close());
  vsock.seen(5);
  await until("the line", () => linesOf(5).length === 1);
  await until("the others", () => reached.size === 2);
  t.equal(logs.count, 3);
  await vsock.close();
  t.equal(logs.count, 0);
  for (const cid of behaviours.keys()) t.same(linesOf(cid), []);
});

t.test("only guests are dialled: not this machine, nor the host of one that is a VM itself", async (t) => {
  for (const cid of [0, 1, 2, 0xffffffff]) t.equal(kernelReach.addressOf(cid, 1025), undefined, `CID ${cid}`);
  t.same(kernelReach.addressOf(3, 1025), { kind: "vsock", cid: 3, port: 1025 });
});

t.test("a guest is gone when no VM has its CID, or after a long silence", async (t) => {
  const failed = (code: string) => Object.assign(new Error(code), { code });
  t.ok(kernelReach.isGone(failed("ENODEV"), 0));
  t.notOk(kernelReach.isGone(failed("ECONNRESET"), 60_000), "nobody listens on its port");
  t.ok(kernelReach.isGone(failed("ETIMEDOUT"), 3_600_000));
});
