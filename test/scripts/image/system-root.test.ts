import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { test } from "tap";
import { ownArchitecture } from "../../../scripts/image/architecture.ts";
import { debianSources } from "../../../scripts/image/debian-sources.ts";
import { guestKernel } from "../../../scripts/image/guest-kernel.ts";
import { ownSystemRoot, packageFinder } from "../../../scripts/image/system-root.ts";
import { hasQemu } from "../../../scripts/vm-requirements.ts";

// What a VM needs is installed and fetched together (scripts/setup.sh, scripts/prepare-vm.ts).
const skip = hasQemu(ownArchitecture()) && hasBootstrap() ? false : "nothing here to make a guest with";

function hasBootstrap(): boolean {
  return (process.env["PATH"] ?? "").split(":").some((folder) => existsSync(join(folder, "mmdebstrap")));
}

test("packages come from this machine's own sources of the distribution, and from no other publisher", {
  skip,
}, async (t) => {
  const { release, lines } = debianSources({ sourceCode: true });
  t.match(release, /^[a-z]+$/);
  t.ok(
    lines.some((line) => line.startsWith("deb-src ")),
    "with their sources where these are asked for",
  );
  for (const line of lines) t.match(line, /^deb(-src)? \S+ [a-z-]+ [a-z-]+$/);
});

test("the root has the packages' files, their kernel, and knows what each file is from", {
  skip,
}, async (t) => {
  const system = ownSystemRoot(() => undefined);
  const kernel = guestKernel(system.path);
  t.ok(existsSync(kernel.image));
  t.ok(existsSync(join(kernel.modulesDir, "modules.dep")));
  const packageOf = packageFinder(system);
  t.match(packageOf("/usr/bin/crun"), { name: "crun", source: "crun", version: /^\d/ });
  t.equal(packageOf("/usr/bin/busybox")?.name, "busybox-static", "a file that the package has in /bin");
  t.equal(packageOf("/usr/bin/kata-agent"), undefined);
  t.same(readdirSync(join(system.path, "dev")), [], "no device nodes");
});
