import { test } from "tap";
import type { Metric } from "../../src/base/metric.ts";
import { exposition } from "../../src/service/exposition.ts";

const disk = (samples: Metric["samples"]): Metric => ({
  name: "disk",
  help: "Disks.",
  kind: "gauge",
  samples,
});

test("metrics become the text that Prometheus reads, with labels escaped (agent-api 3.32)", async (t) => {
  const text = await exposition([
    { name: "calls_total", help: "Calls.", kind: "counter", samples: [[{}, 3]] },
    disk([
      [{ mount: 'a"b\\c\nd', item: "used" }, 1.5],
      [{ mount: "/", item: "used" }, 2 ** 40],
    ]),
  ]);
  t.same(text.split("\n").filter(Boolean), [
    "# HELP calls_total Calls.",
    "# TYPE calls_total counter",
    "calls_total 3",
    "# HELP disk Disks.",
    "# TYPE disk gauge",
    'disk{mount="a\\"b\\\\c\\nd",item="used"} 1.5',
    'disk{mount="/",item="used"} 1099511627776',
  ]);
});

test("what is no number is left out, and nothing of an earlier text is in a later one", async (t) => {
  await exposition([disk([[{ item: "gone" }, 1]])]);
  const text = await exposition([
    disk([
      [{ item: "kept" }, 1],
      [{ item: "odd" }, Number.NaN],
    ]),
  ]);
  t.match(text, 'item="kept"');
  t.notMatch(text, /gone|odd/);
});
