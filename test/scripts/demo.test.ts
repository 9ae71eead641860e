import { existsSync } from "node:fs";
import t from "tap";
import { playDemo, strayCalls } from "../fakes/play-demo.ts";

const needed = ["/usr/bin/crun", "/bin/busybox", "build/kata-agent"].filter((path) => !existsSync(path));
const skip = needed.length > 0 ? `${needed.join(", ")} missing` : false;

t.test("the demo plays a pod in namespaces and shows one trace from boot to the end", { skip }, async (t) => {
  const played = await playDemo();
  t.match(played.text, /16 steps, all as expected/);
  t.match(played.text, /PID 1 of its namespaces, ended with status 0/);
  t.equal(played.traces.length, 1);
  t.match(played.traces[0], { missingParentCount: 0, errorCount: 0 });
  t.same(played.traces[0]?.services.toSorted(), ["agentctl", "kata-agent"]);
  t.equal(played.traces[0]?.roots.length, 1);
  const names = new Set(played.spans.map((span) => span.name));
  for (const name of ["pod", "sandbox", "base mounts", "crun create", "crun exec", "container delete"])
    t.ok(names.has(name), name);
  t.same(strayCalls(played), []);
});
