import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "tap";
import { attributesOf, Collector } from "../fakes/collector.ts";
import { specOf } from "../fakes/container-spec.ts";
import { startAgent } from "../fakes/real-agent.ts";

test("a trace tells how hooks went, where they were run (agent-api 3.3.6)", async (t) => {
  const folder = mkdtempSync(join(tmpdir(), "hook-trace-"));
  t.teardown(() => rmSync(folder, { recursive: true }));
  const collector = new Collector();
  await collector.listen(join(folder, "t.sock"));
  t.teardown(() => collector.close());
  await using agent = await startAgent({
    env: { KATA_AGENT_TRACING: "isolated", KATA_AGENT_TRACE_ADDR: `unix://${folder}/t.sock` },
  });
  const { calls } = agent;
  await calls.CreateSandbox({ sandbox_id: "traced" });
  const hook = (code: number) => ({
    Path: "/bin/sh",
    Args: ["sh", "-c", `echo no; echo code ${code} >&2; exit ${code}`],
    Env: ["PATH=/bin"],
  });
  const Hooks = {
    Prestart: [hook(0), hook(3)],
    StartContainer: [hook(4)],
    Poststart: [hook(5)],
    Poststop: [hook(6)],
  };
  const container_id = agent.id("hooked");
  await calls.CreateContainer({ container_id, OCI: { ...specOf(agent.root, { args: ["true"] }), Hooks } });
  await calls.StartContainer({ container_id });
  await calls.WaitProcess({ container_id });
  await calls.RemoveContainer({ container_id });
  await calls.DestroySandbox({});
  await agent.ended;
  const hooks = collector.spans.filter(({ name }) => name === "hook");
  const create = collector.spans.find(({ name }) => name === "crun create");
  t.same(
    hooks.map(({ parentSpanId }) => parentSpanId === create?.spanId),
    [true, true, false, false, false],
    "those that crun runs are below it",
  );
  for (const { startTimeUnixNano, endTimeUnixNano } of hooks.slice(0, 2)) {
    t.ok(BigInt(startTimeUnixNano) > BigInt(create?.startTimeUnixNano ?? 0), "when it was run");
    t.ok(BigInt(endTimeUnixNano) < BigInt(create?.endTimeUnixNano ?? 0));
    t.ok(BigInt(endTimeUnixNano) > BigInt(startTimeUnixNano));
  }
  t.match(hooks.map(attributesOf), [
    { "kata.hook.type": "prestart", "kata.hook.index": 0, "process.exit.code": 0 },
    {
      "kata.hook.type": "prestart",
      "kata.hook.index": 1,
      "process.exit.code": 3,
      "kata.hook.stderr": "code 3",
    },
    { "kata.hook.type": "startContainer", "process.exit.code": 4, "kata.hook.stderr": "code 4" },
    { "kata.hook.type": "poststart", "process.exit.code": 5, "kata.hook.stderr": "code 5" },
    { "kata.hook.type": "poststop", "process.exit.code": 6, "kata.hook.stderr": "code 6" },
  ]);
});
