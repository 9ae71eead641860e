import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "tap";
import { Collector } from "../fakes/collector.ts";
import { runAgentctl } from "../fakes/fake-host.ts";
import { startAgent } from "../fakes/real-agent.ts";

for (const protocol of [[], ["--grpc"]]) {
  test(`agentctl switches the trace of a real agent ${protocol.join("")}`, async (t) => {
    const folder = mkdtempSync(join(tmpdir(), "trace-control-"));
    t.teardown(() => rmSync(folder, { recursive: true }));
    const receiver = `unix://${folder}/t.sock`;
    const collector = new Collector();
    await collector.listen(join(folder, "t.sock"));
    t.teardown(() => collector.close());
    await using agent = await startAgent();
    const addr = ["--addr", `unix://${agent.folder}/agent.sock`, ...protocol];
    const trace = async (...args: string[]) => {
      const ended = await runAgentctl([...addr, "--json", "trace", ...args]);
      t.equal(ended.status, 0, `${args.join(" ")}: ${ended.stderr}`);
      return JSON.parse(ended.stdout) as Record<string, unknown>;
    };
    t.match(await trace("status"), { on: false, type: "isolated", level: "trace" });
    t.match(await trace("target", receiver), { address: receiver });
    t.match(await trace("start", "--collated"), { on: true, type: "collated" });
    t.match(await trace("level", "debug"), { level: "debug" });
    t.match(await trace("sampling", "1000"), { sampling_per_million: 1000 });
    t.match(await trace("rules", "Stats*:off"), { rules: "Stats*:off" });
    t.match(await trace("flush", "60s"), { pending: "0" });
    const ended = await trace("stop");
    t.match(ended, { on: false, pending: "0", dropped: { shutdown: "0" } });
    t.ok(collector.spans.some(({ name }) => name === "interval"));
    t.ok(Number(ended["sent"]) > 0);
    const again = await runAgentctl([...addr, "trace", "stop"]);
    t.match(again, { status: 1, stderr: "FAILED_PRECONDITION: tracing not enabled\n" });
    const text = await runAgentctl([...addr, "trace", "status"]);
    t.match(text.stdout, /^on: false\ntype: collated\n/m);
  });
}

for (const args of [["sampling", "many"], ["flush", "2d"], ["flush", "2h"], ["level"]])
  test(`"trace ${args.join(" ")}" is a mistake of the user's`, async (t) => {
    const ended = await runAgentctl(["--addr", "unix:///nowhere", "trace", ...args]);
    t.equal(ended.status, 2);
  });
