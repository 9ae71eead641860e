import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "tap";
import { realPathBelow, realPathOf } from "../../../scripts/image/real-path.ts";

test("links are followed as a process with that root would, never to this machine's files", async (t) => {
  const root = t.testdir();
  mkdirSync(join(root, "usr/bin"), { recursive: true });
  mkdirSync(join(root, "etc"));
  writeFileSync(join(root, "usr/bin/ip"), "ip");
  symlinkSync("usr/bin", join(root, "bin"));
  symlinkSync("/bin/ip", join(root, "usr/ip"));
  symlinkSync("../../../../usr/bin/ip", join(root, "etc/above"));
  symlinkSync("/etc/passwd", join(root, "etc/absent"));
  symlinkSync("circle", join(root, "etc/circle"));
  const ip = join(root, "usr/bin/ip");
  for (const path of ["/usr/bin/ip", "/bin/ip", "/usr/ip", "/etc/above", "usr/./bin/../ip"]) {
    t.equal(realPathBelow(root, path), ip, path);
  }
  t.equal(realPathOf(root, join(root, "usr/ip")), ip);
  t.throws(() => realPathBelow(root, "/etc/absent"), { code: "ENOENT" }, "this machine has one");
  t.throws(() => realPathBelow(root, "/etc/circle"), /circle/);
});
