import { mkdtempSync, rmSync } from "node:fs";
import { setTimeout as pause } from "node:timers/promises";
import t from "tap";
import { bootGuest } from "../../scripts/boot-guest.ts";
import { whyNoVm } from "../../scripts/vm-requirements.ts";
import { layerProgram } from "./layer.ts";

const libDir = "/usr/lib/kata-agent-node";
const ports = [1024, 1025, 1026];
/** The loopback's own, and that of the guest. */
const cids = [1, 4];

t.test(
  "nothing in the guest reaches the agent's VSOCK ports, the host does",
  { skip: whyNoVm() ?? false },
  async (t) => {
    const dir = mkdtempSync("/tmp/kata-peers-");
    t.teardown(() => rmSync(dir, { recursive: true, force: true }));
    const modules = ["vmw_vsock_virtio_transport", "vsock_loopback"];
    const { initrd } = await layerProgram(dir, "test/vm/vsock-reach.ts", modules, "reach.cjs");
    await using guest = await bootGuest({
      initrd,
      append: "agent.debug_console agent.debug_console_vport=1026 agent.log_vport=1025",
    });
    const shell = await guest.connect(1026);
    let said = "";
    shell.setEncoding("latin1").on("data", (chunk) => {
      said += chunk;
    });
    const addresses = cids.flatMap((cid) => ports.map((port) => `vsock://${cid}:${port}`));
    // In two parts, so that the echo of the line is not taken for its end.
    shell.write(`${libDir}/node ${libDir}/reach.cjs ${addresses.join(" ")}; echo e"nd"\n`);
    while (!/^end/m.test(said) && !shell.closed) await pause(50);
    for (const address of addresses) t.match(said, `${address} closed`);
    const log = await guest.connect(1025);
    const lines = await new Promise<string>((resolve) => log.once("data", (data) => resolve(String(data))));
    t.match(lines, /agent starts/, "the log went to nobody else");
    for (const socket of [shell, log]) socket.destroy();
  },
);
