import { join } from "node:path";
import t from "tap";
import { silentLog } from "../../src/base/log.ts";
import { Backends } from "../../src/forwarder/backends.ts";
import { Metrics } from "../../src/forwarder/metrics.ts";
import { FanOut } from "../../src/forwarder/out/fan-out.ts";
import { exportOf, temporaryFolder } from "./running.ts";

t.test("while the only backend is exchanged nothing is taken that nobody would have", async (t) => {
  const path = join(temporaryFolder(t), "spans");
  const fanOut = new FanOut(new Metrics(), silentLog);
  const backends = new Backends(fanOut, async () => {}, new Metrics(), silentLog);
  const config = { kind: "file", name: "f", path, maxBytes: undefined } as const;
  await backends.exchange([{ ...config, keep: 1 }], 0);
  const exported = { body: exportOf("x"), spans: 1, origin: "o" };
  await fanOut.deliver(exported);
  const exchanged = backends.exchange([{ ...config, keep: 2 }], 0);
  await t.rejects(fanOut.deliver(exported), { name: "Refusal", status: 503 });
  await exchanged;
  await fanOut.deliver(exported);
  await backends.exchange([], 0);
  await fanOut.deliver(exported);
});
