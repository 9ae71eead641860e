import { test } from "tap";
import { readFootprint, rowsAsTable } from "../../../scripts/image/footprint-row.ts";

const told = [
  "/ # busybox cat /proc/meminfo",
  "MemTotal:        1000 kB",
  "MemFree:          400 kB",
  "Buffers:           10 kB",
  "Cached:           200 kB",
  "SwapCached:         7 kB",
  "AnonPages:        100 kB",
  "Slab:              50 kB",
  "pss Pss:                  30 kB",
  "pss ",
  "pss Pss:                  12 kB\r",
  "that is all",
].join("\r\n");

test("a guest's memory is read from its console, terminal's line ends and all", async (t) => {
  const row = readFootprint("a guest", 5e6, told);
  t.match(row, { usedBytes: 600 * 1024, cachedBytes: 210 * 1024, pssBytes: 42 * 1024 });
  t.match(rowsAsTable([row]), /\| a guest \| 5\.0 \| 0\.6 \| 0\.2 \| 0\.1 \| 0\.1 \| 0\.0 \|$/);
});

test("a value that was not told is an error, not a zero", async (t) => {
  t.throws(() => readFootprint("a guest", 1, "MemTotal: 1 kB"), /a guest: the guest did not say its MemFree/);
});
