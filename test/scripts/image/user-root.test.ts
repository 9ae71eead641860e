import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "tap";
import { ownArchitecture, traitsOf } from "../../../scripts/image/architecture.ts";

function whyNot(): string | false {
  if (process.getuid?.() !== 0) return "making a user for a test needs root";
  if (!existsSync("/etc/subuid") || !existsSync("/etc/subgid")) return "there is no /etc/subuid";
  const missing = ["mmdebstrap", "newuidmap"].find(
    (tool) => spawnSync(tool, ["--version"]).error !== undefined,
  );
  if (missing !== undefined) return `${missing} is missing`;
  return spawnSync("apt-get", ["indextargets"]).stdout.length === 0 && "apt has no lists";
}

// docs/image.md: who is not root needs uidmap and a range in /etc/subuid, and nothing else
test("an ordinary user lays the distribution's packages down as well as root", { skip: whyNot() }, (t) => {
  // Not in the checkout: the user may not even look into its folders.
  const home = mkdtempSync(join(tmpdir(), "as-user-"));
  t.teardown(() => rmSync(home, { recursive: true, force: true }));
  const root = join(home, "root");
  const script = `import(process.argv[1]).then(({ unpackPackages }) =>
    unpackPackages(process.argv[2], ["libatomic1"], process.argv[3]))`;
  const module = join(import.meta.dirname, "../../../scripts/image/system-root.ts");
  const command = [process.execPath, "-e", script, module, root, ownArchitecture()];
  const asUser = join(import.meta.dirname, "as-user.sh");
  execFileSync("unshare", ["--mount", asUser, home, "env", "-u", "NODE_OPTIONS", ...command], {
    stdio: ["ignore", "ignore", "pipe"],
  });
  const library = join(root, "usr/lib", traitsOf(ownArchitecture()).triplet, "libatomic.so.1.2.0");
  t.ok(existsSync(library));
  t.not(statSync(library).uid, 0, "by the user and nobody else");
  t.end();
});
