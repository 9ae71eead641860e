import { test } from "tap";
import { crunResources } from "../../src/runtime/crun-resources.ts";
import { blockIoWrites } from "../../src/runtime/tolerated-resources.ts";

test("swap is told to crun only where it means something (agent-api 5.4)", async (t) => {
  const memory = (limit: bigint | undefined, swap: bigint) =>
    crunResources({ memory: { ...(limit !== undefined && { limit }), swap } }).memory;
  t.same(memory(100n, 150n), { limit: 100n, swap: 150n });
  t.same(memory(100n, 50n), { limit: 100n, swap: 100n }, "less than the limit is no swap");
  t.same(memory(undefined, 150n), {});
  t.same(memory(-1n, 150n), { limit: -1n });
  t.same(memory(100n, -1n), { limit: 100n, swap: -1n });
});

test("shares stay in the range that has a weight, and a quota has a period (agent-api 5.4)", async (t) => {
  const cpu = (sent: object) => crunResources({ cpu: sent }).cpu;
  t.same(cpu({ shares: 1n }), { shares: 2n });
  t.same(cpu({ shares: 1024n }), { shares: 1024n });
  t.same(cpu({ shares: 2n ** 40n }), { shares: 262_144n });
  t.same(cpu({ quota: -1n }), { quota: -1n, period: 100_000n });
  t.same(cpu({ quota: 5n, period: 10n }), { quota: 5n, period: 10n });
});

test("what may fail is left to us (agent-api 5.4)", async (t) => {
  const rest = { pids: { limit: 5n }, hugepageLimits: [{ pageSize: "2MB", limit: 1n }] };
  t.same(crunResources({ ...rest, cpu: { cpus: "0-1", mems: "0" }, blockIO: { weight: 100 } }), {
    ...rest,
    cpu: { mems: "0" },
  });
});

test("limits of block devices are lines of io.max and io.bfq.weight (agent-api 5.4)", async (t) => {
  const device = { major: 8n, minor: 16n };
  const writes = blockIoWrites({
    weight: 200,
    weightDevice: [{ ...device, weight: 300 }, device],
    throttleReadBpsDevice: [{ ...device, rate: 1000n }],
    throttleWriteBpsDevice: [{ ...device, rate: 0n }],
    throttleReadIOPSDevice: [{ ...device, rate: 3n }],
    throttleWriteIOPSDevice: [{ ...device, rate: 4n }],
  });
  t.same(
    writes.map(({ file, line }) => `${file} ${line}`),
    [
      "io.bfq.weight 200",
      "io.bfq.weight 8:16 300",
      "io.max 8:16 rbps=1000",
      "io.max 8:16 wbps=max",
      "io.max 8:16 riops=3",
      "io.max 8:16 wiops=4",
    ],
  );
});
