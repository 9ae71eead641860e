import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import t from "tap";
import { bootGuest } from "../../scripts/boot-guest.ts";
import { whyNoVm } from "../../scripts/vm-requirements.ts";
import { AgentServiceMethods } from "../../src/gen/methods.ts";
import { clientOf } from "../../src/rpc/client.ts";
import { createTtrpcClient } from "../../src/rpc/ttrpc/client.ts";
import { parseAddress } from "../../src/vsock/address.ts";
import { dial } from "../../src/vsock/dial.ts";
import { Monitor } from "./monitor.ts";

const skip = whyNoVm() ?? false;
const hwAddr = "02:00:00:00:00:0A";
const eth7 = {
  name: "eth7",
  hwAddr,
  mtu: 1400n,
  devicePath: "05/00",
  IPAddresses: [{ family: 0, address: "10.1.0.2", mask: "24" }],
};

t.test("a NIC that is plugged in while its request waits is found, named and set up", { skip }, async (t) => {
  const dir = mkdtempSync(join(tmpdir(), "nic-"));
  t.teardown(() => rmSync(dir, { recursive: true }));
  const qmp = join(dir, "qmp");
  await using guest = await bootGuest({
    // Emulation on a busy machine takes longer than a guest that a pod waits for.
    append: "agent.hotplug_timeout=60",
    options: [
      ...["-device", "pcie-root-port,id=port5,addr=5,chassis=1,slot=1"],
      ...["-netdev", "hubport,hubid=0,id=cable", "-qmp", `unix:${qmp},server=on,wait=off`],
    ],
  });
  await guest.listening();
  await using client = createTtrpcClient(
    await dial(parseAddress(guest.address(1024)), { timeoutMs: 60_000 }),
  );
  const agent = clientOf(client, AgentServiceMethods);

  const early = agent.UpdateInterface({ interface: { ...eth7, devicePath: "" } });
  await t.rejects(early, { code: 13, message: /Link not found/ });
  let waiting = true;
  const update = agent.UpdateInterface({ interface: eth7 }).finally(() => {
    waiting = false;
  });
  await agent.ListInterfaces({});
  t.ok(waiting, "and holds nobody up");
  using monitor = new Monitor(qmp);
  await monitor.command("qmp_capabilities");
  await monitor.command("device_add", {
    driver: "virtio-net-pci",
    id: "nic",
    bus: "port5",
    addr: "0",
    mac: hwAddr,
    netdev: "cable",
  });
  t.match(await update, eth7);
  t.match(await agent.UpdateInterface({ interface: eth7 }), eth7, "once more, now that it is there");
  const { Interfaces } = await agent.ListInterfaces({});
  t.match(
    Interfaces.find(({ name }) => name === "eth7"),
    { hwAddr, mtu: 1400n },
  );
  const Routes = [{ gateway: "10.1.0.1", device: "eth7" }];
  t.match(await agent.UpdateRoutes({ routes: { Routes } }), {
    Routes: [{ dest: "0.0.0.0/0", device: "eth7" }],
  });
  await agent.DestroySandbox({});
  t.match(await guest.exited, { code: 0 });
});
