import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import t from "tap";
import { needsRoot } from "../fakes/real-agent.ts";

const root = join(import.meta.dirname, "../..");
const needed = ["/usr/bin/crun", "/bin/busybox", "/usr/bin/chromium", join(root, "build/kata-agent")].filter(
  (path) => !existsSync(path),
);
const skip = needed.length > 0 ? `${needed.join(", ")} missing` : needsRoot.skip;

t.test("the picture of the README can be taken again", { skip }, async (t) => {
  const out = join(t.testdir(), "trace.png");
  const { PATH } = process.env;
  execFileSync(join(root, "scripts/docs/picture.sh"), [out], { env: { PATH }, stdio: "ignore" });
  const picture = readFileSync(out);
  t.equal(picture.subarray(0, 8).toString("latin1"), "\x89PNG\r\n\x1a\n");
  t.same([picture.readUInt32BE(16), picture.readUInt32BE(20)], [1280, 840]);
});
