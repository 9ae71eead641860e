import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "tap";
import { oomScoreFloor } from "../../src/agent/oom-score-floor.ts";
import { Process } from "../../src/gen/oci.ts";
import { ociProcess } from "../../src/service/oci-process.ts";

for (const [capabilities, own, floor] of [
  ["000001ffffffffff", 100, -1000],
  ["000001fffeffffff", 100, 100],
  ["0000000000000000", -5, -5],
] as const) {
  test(`with the capabilities ${capabilities} the floor is ${floor}`, async (t) => {
    const dir = await mkdtemp(join(tmpdir(), "proc-"));
    t.teardown(() => rm(dir, { recursive: true }));
    await writeFile(join(dir, "status"), `Name:\tx\nCapEff:\t${capabilities}\n`);
    await writeFile(join(dir, "oom_score_adj"), `${own}\n`);
    t.equal(oomScoreFloor(dir), floor);
  });
}

test("a score below the floor is raised to it, one above is kept", async (t) => {
  const process = { ...Process.create(), Args: ["true"], OOMScoreAdj: -998n };
  t.equal(ociProcess(process, 0).oomScoreAdj, 0);
  t.equal(ociProcess(process).oomScoreAdj, -998);
  t.equal(ociProcess({ ...process, OOMScoreAdj: 500n }, 0).oomScoreAdj, 500);
});
