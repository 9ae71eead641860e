/** The forwarder on AF_VSOCK. The host of the tests has none that may be used, so it runs in the guest. */
import { mkdtempSync, rmSync } from "node:fs";
import t from "tap";
import { bootGuest } from "../../scripts/boot-guest.ts";
import { whyNoVm } from "../../scripts/vm-requirements.ts";
import { LogPort } from "../../src/agent/log-port.ts";
import { jsonFrame } from "../interop/old-agents.ts";
import { layerProgram } from "./layer.ts";

const missing = whyNoVm();
if (missing !== undefined) {
  t.plan(0, missing);
  process.exit();
}

const tracePort = 10240;
const logPort = 1025;
const dir = mkdtempSync("/tmp/kata-forwarder-");
t.teardown(() => rmSync(dir, { recursive: true, force: true }));
const wanted = ["vmw_vsock_virtio_transport", "vsock_loopback"];
const { initrd, modulePaths } = await layerProgram(dir, "test/vm/forwarder-guest.ts", wanted);
const guest = await bootGuest({ initrd, append: `test_modules=${modulePaths.join(",")}` });
t.teardown(() => guest.kill());
// Where the backend connects to for whoever dials CID 2 in the guest.
const hostLog = new LogPort({ write() {}, flush() {}, async close() {} });
hostLog.write('{"msg":"line of the host"}\n');
await hostLog.listen({ kind: "unix", path: guest.listenPath(logPort) });
t.teardown(() => hostLog.close());
await guest.seen(/listening \{"addresses":\["vsock:[^"]*:10240"\]/);

t.test("spans that come over AF_VSOCK's loopback are taken and acknowledged", async (t) => {
  await guest.seen(/loopback answered 200/);
  t.match(guest.console(), /guest connected \{"origin":"vsock:1"\}/, "the peer is known by its context id");
  t.match(guest.console(), /"name":"crun create"/);
});

t.test("a peer of another context id is another guest, with the frames of an old agent", async (t) => {
  const socket = await guest.connect(tracePort);
  socket.on("error", () => undefined).write(jsonFrame("1af7651916cd43dd8448eb211c80319c"));
  await guest.seen(/"name":"grpc.AgentService\/PauseContainer"/);
  t.match(guest.console(), /guest connected \{"origin":"vsock:2"\}/);
  socket.destroy();
});

t.test("the logs of both are fetched from their log port by their context ids, and go on", async (t) => {
  const has = (cid: number, msg: string) =>
    guest.seen(new RegExp(`^vsock:${cid}\\.log\\.jsonl has \\{"msg":"${msg}","sandbox":"vsock:${cid}"`, "m"));
  await has(1, "line of the loopback");
  await has(2, "line of the host");
  hostLog.write('{"msg":"a later line"}\n');
  await has(2, "a later line");
  t.pass("all lines came");
});
