import t from "tap";
import { silentLog } from "../../../src/base/log.ts";
import { Metrics } from "../../../src/forwarder/metrics.ts";
import { FanOut } from "../../../src/forwarder/out/fan-out.ts";
import type { Sender } from "../../../src/forwarder/out/posted.ts";
import { QueuedOutput } from "../../../src/forwarder/out/queued-output.ts";
import { Spool } from "../../../src/forwarder/out/spool.ts";
import { exportOf, temporaryFolder } from "../running.ts";

const away: Sender = {
  send: async () => ({ status: "retry", afterMs: 60_000, reason: "away" }),
  close: () => {},
};

t.test(
  "what comes to an output that is closed is refused, and the spool is left to the next one",
  async (t) => {
    const folder = temporaryFolder(t);
    const metrics = new Metrics();
    const open = async () =>
      new QueuedOutput("b", await Spool.open(folder, 1_000_000), away, metrics, silentLog);
    const old = await open();
    await old.take({ body: exportOf("first"), spans: 1, origin: "o" });
    await old.close(0);
    const next = await open();
    const fanOut = new FanOut(metrics, silentLog);
    fanOut.outputs = [old];
    // A request that was under way when the backends were exchanged.
    const late = fanOut.deliver({ body: exportOf("late"), spans: 1, origin: "o" });
    await t.rejects(late, { name: "Refusal", status: 503 });
    await next.close(0);
    const spool = await Spool.open(folder, 1_000_000);
    const waiting = (await spool.peek(1_000_000)).map(({ body }) => Buffer.from(body));
    t.same(waiting, [Buffer.from(exportOf("first"))]);
    await spool.close();
  },
);
