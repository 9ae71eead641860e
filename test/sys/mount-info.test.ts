import { readFileSync } from "node:fs";
import { test } from "tap";
import { parseMountInfo } from "../../src/sys/mount-info.ts";

test("a line of mountinfo is read field by field", (t) => {
  const text =
    "36 35 98:0 /mnt1 /mnt2/with\\040blank rw,noatime master:1 propagate_from:2 - ext3 /dev/ro\\134ot rw,errors=continue\n";
  t.same(parseMountInfo(text), [
    {
      id: 36,
      parentId: 35,
      device: "98:0",
      root: "/mnt1",
      mountPoint: "/mnt2/with blank",
      options: ["rw", "noatime"],
      optionalFields: ["master:1", "propagate_from:2"],
      fsType: "ext3",
      source: "/dev/ro\\ot",
      superOptions: ["rw", "errors=continue"],
    },
  ]);
  t.end();
});

test("letters beyond ASCII survive beside escapes", (t) => {
  const [info] = parseMountInfo("1 0 0:1 / /mnt/d\u00e9j\u00e0\\011vu rw - tmpfs none rw");
  t.equal(info?.mountPoint, "/mnt/d\u00e9j\u00e0\tvu");
  t.same(info?.optionalFields, []);
  t.end();
});

test("odd lines are left out", (t) => {
  t.same(parseMountInfo("\n1 2 3\n1 0 0:1 / / rw - tmpfs\n"), []);
  t.end();
});

test("the mounts of this process hold its root", (t) => {
  const mounts = parseMountInfo(readFileSync("/proc/self/mountinfo", "utf8"));
  t.ok(mounts.some((info) => info.mountPoint === "/" && info.root !== ""));
  t.end();
});
