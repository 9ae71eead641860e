import { test } from "tap";
import { silentLog } from "../../src/base/log.ts";
import { pciPath } from "../../src/devices/pci-path.ts";
import { Uevents } from "../../src/devices/uevents.ts";
import { ipBatch, ipLine, ipQuery } from "../../src/network/ip-command.ts";
import { netDeviceArrived } from "../../src/network/net-device.ts";
import { enterPrivateNetwork } from "../fakes/private-network.ts";
import { traced } from "../trace/traced.ts";

enterPrivateNetwork();

test("the steps of a network call have spans, and no span tells a name or an address", async (t) => {
  const { finish } = await traced(t);
  const words = ["10.77.66.55/32", "secret0", "02:77:66:55:44:33"];
  const [address = "", name = "", mac = ""] = words;
  await ipQuery("link", "show");
  await t.rejects(ipBatch([ipLine("address", "add", address, "dev", name)]));
  await t.rejects(ipBatch([ipLine("link", "set", "dev", name, "address", mac)]));
  const uevents = new Uevents({ log: silentLog, timeoutMs: 1 });
  await t.rejects(netDeviceArrived(pciPath("1f/1e"), { uevents, sysfs: "/no-such-folder" }));
  const { spans } = await finish();
  t.same(
    spans.map((span) => span.name).filter((span) => /^(ip|net)/.test(span)),
    ["ip query", "ip batch", "ip batch", "net device wait"],
  );
  const text = JSON.stringify(spans);
  for (const word of [...words, "10.77.66.55", "1f.0", "1f/1e"]) t.notOk(text.includes(word), word);
  t.match(text, /"INTERNAL"/, "that it failed is told");
});
