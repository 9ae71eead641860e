// The short form of `make scale` (docs/scale.md).
import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { test } from "tap";
import { collector, noGateway } from "../../scripts/cluster/gateway.ts";
import { runScale } from "../../scripts/cluster/scale-run.ts";

test("behind a gateway of real Collectors every span arrives once, and whole traces at one sampler", {
  skip: noGateway(),
}, async (t) => {
  const { sent, traces, missing, repeated, split, shares } = await runScale({
    nodes: 5,
    sandboxes: 4,
    idleS: 0,
  });
  t.same({ sent, traces }, { sent: 2000, traces: 20 });
  t.same({ missing, repeated, split }, { missing: 0, repeated: 0, split: 0 });
  t.equal(
    Object.values(shares).reduce((sum, share) => sum + share, 0),
    traces,
    "each trace has its sampler",
  );
});

const gateway = join(import.meta.dirname, "../../deploy/kustomize/gateway");

for (const file of ["balancer.yaml", "sampler.yaml"]) {
  test(`the Collector takes ${file} as a cluster gets it`, { skip: noGateway() }, async (t) => {
    await t.resolves(promisify(execFile)(collector, ["validate", `--config=file:${join(gateway, file)}`]));
  });
}
