import { test } from "tap";
import { hasDisposition } from "../../src/container/signal.ts";

const status = (mask: string, name: string) =>
  [
    "Name:\tsleep",
    ...["SigPnd", "ShdPnd", "SigBlk", "SigIgn", "SigCgt"].map(
      (key) => `${key}:\t${key === name ? mask : "0000000000000000"}`,
    ),
  ].join("\n");

test("a signal that is caught, ignored or blocked is seen in the masks", async (t) => {
  for (const name of ["SigBlk", "SigIgn", "SigCgt"]) {
    t.ok(hasDisposition(status("0000000000004000", name), 15), name);
    t.notOk(hasDisposition(status("0000000000002000", name), 15), name);
    t.ok(hasDisposition(status("8000000000000000", name), 64), `${name}, the last one`);
    t.ok(hasDisposition(status("ffffffffffffffff", name), 1), `${name}, the first one`);
  }
  t.notOk(hasDisposition(status("ffffffffffffffff", "SigPnd"), 15), "a pending one is not expected");
  t.notOk(hasDisposition("", 15), "a process that has gone expects nothing");
});
