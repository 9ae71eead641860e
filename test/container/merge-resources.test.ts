import { test } from "tap";
import { mergeResources } from "../../src/container/merge-resources.ts";

test("an update replaces what it names and keeps the rest", async (t) => {
  const current = { cpu: { cpus: "0-1", shares: 1024n }, memory: { limit: 100n }, pids: { limit: 7n } };
  t.same(mergeResources(current, { cpu: { shares: 512n }, memory: { limit: -1n } }), {
    cpu: { cpus: "0-1", shares: 512n },
    memory: { limit: -1n },
    pids: { limit: 7n },
  });
});
