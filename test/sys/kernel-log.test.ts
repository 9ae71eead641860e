import { test } from "tap";
import { parseKernelLog } from "../../src/sys/kernel-log.ts";

test("a record of the kernel's log tells who, how grave, when and what", async (t) => {
  t.same(parseKernelLog("30,12,3456789,-;systemd[1]: Reached target\n"), [
    { severity: 6, facility: 3, sequence: 12, atUs: 3_456_789, text: "systemd[1]: Reached target" },
  ]);
  t.same(parseKernelLog("4,13,5,c;a;b,c"), [
    { severity: 4, facility: 0, sequence: 13, atUs: 5, text: "a;b,c" },
  ]);
});

test("lines about devices are left out, and several records may come at once", async (t) => {
  const read = "6,1,10,-;one\n SUBSYSTEM=pci\n DEVICE=+pci:0000:00:01.0\n3,2,11,-,caller=T1;two\n";
  t.same(
    parseKernelLog(read).map(({ text, severity }) => [text, severity]),
    [
      ["one", 6],
      ["two", 3],
    ],
  );
});

test("escaped bytes become the characters that they were", async (t) => {
  const [record] = parseKernelLog(String.raw`14,1,1,-;caf\xc3\xa9 a\x5cb \x1b[0m`);
  t.equal(record?.text, "café a\\b \x1b[0m");
});

test("what is no record is none", async (t) => {
  for (const read of [
    "",
    "\n\n",
    "text",
    ";text",
    "1,2;text",
    "x,1,2,-;text",
    `${"9".repeat(30)},1,2,-;text`,
  ])
    t.same(parseKernelLog(read), [], JSON.stringify(read));
});
