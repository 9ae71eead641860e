// Runs osbuilder itself over our tarball: initrds and images of Debian and Ubuntu, the agent as init and under systemd,
// in build/osbuilder/. Takes an hour, so it is no part of CI; test/vm/osbuilder-run.test.ts boots what it leaves.
//
//   node scripts/package/osbuilder-run.ts CHECKOUT [NAME…]   the checkout of Kata Containers; names such as debian-yes
//
// For root on Debian, with osbuilder's packages (docs/osbuilder.md). What osbuilder mounts is in a mount namespace of
// its own; image_builder.sh, which needs loop devices, runs in a guest under QEMU.
import { execFileSync } from "node:child_process";
import { closeSync, existsSync, mkdirSync, openSync, rmSync, statSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { version } from "../../src/base/version.ts";
import { ownArchitecture, traitsOf } from "../image/architecture.ts";
import { debianSources } from "../image/debian-sources.ts";
import { layModules } from "./kernel-modules.ts";
import { makeOsbuilderImages } from "./osbuilder-images.ts";

const root = join(import.meta.dirname, "../..");
const out = join(root, "build/osbuilder");
const tarball = join(root, "build", `kata-agent-${version}-${traitsOf(ownArchitecture()).machine}.tar.zst`);
const say = (line: string): void => void process.stdout.write(`osbuilder-run: ${line}\n`);
const megabytes = (file: string): string => `${(statSync(file).size / 1e6).toFixed(1)} MB`;

/** By `<distribution>-<AGENT_INIT>`. */
const guests = ["debian-yes", "ubuntu-no", "debian-no", "ubuntu-yes"];

/** What rootfs.sh is told beside what holds for all. */
function distribution(name: string): NodeJS.ProcessEnv {
  if (name === "ubuntu") return { OS_VERSION: "noble" };
  const { release, lines } = debianSources();
  return { OS_VERSION: release, REPO_URL: lines[0]?.split(" ")[1] };
}

/** The modules of the kernel that boots the guests in the tests; Kata's own has them built in. */
function kernelModules(): NodeJS.ProcessEnv {
  const [tree, hooks] = [join(out, "modules"), join(out, "modules-list.tar.zst")];
  rmSync(tree, { recursive: true, force: true });
  mkdirSync(join(tree, "usr/lib"), { recursive: true });
  symlinkSync("usr/lib", join(tree, "lib"));
  const release = layModules(tree, say);
  // osbuilder has no place of its own for the list; this one is unpacked over the root like the agent's.
  execFileSync("tar", ["--zstd", "-cf", hooks, "-C", tree, "usr/lib/kata-agent-node"]);
  return { KERNEL_MODULES_DIR: join(tree, "usr/lib/modules", release), GUEST_HOOKS_TARBALL: hooks };
}

const commands = `set -e
./rootfs-builder/rootfs.sh -d -o ours "$0"
du -sm "$ROOTFS_DIR"
./initrd-builder/initrd_builder.sh -o "$1.part" "$ROOTFS_DIR"
mv "$1.part" "$1"
times`;

/** Makes the root, which it returns, and the initrd of one guest. */
function makeRoot(osbuilder: string, name: string, modules: NodeJS.ProcessEnv): string {
  const [distro = "", agentInit = ""] = name.split("-");
  const [folder, initrd] = [join(out, name), join(out, `${name}.initrd`)];
  if (existsSync(initrd) && statSync(initrd).mtimeMs > statSync(tarball).mtimeMs) return folder;
  const settings = { AGENT_TARBALL: tarball, AGENT_INIT: agentInit, SECCOMP: "no", EXTRA_PKGS: "kmod" };
  const env = { ...process.env, ...modules, ...settings, ...distribution(distro), ROOTFS_DIR: folder };
  const log = openSync(join(out, `${name}.log`), "w");
  say(`${name}: rootfs.sh and initrd_builder.sh`);
  try {
    const apart = ["--mount", "--propagation", "private", "sh", "-c", commands, distro, initrd];
    execFileSync("unshare", apart, { cwd: osbuilder, env, stdio: ["ignore", log, log] });
  } catch {
    throw new Error(`osbuilder failed, see build/osbuilder/${name}.log`);
  } finally {
    closeSync(log);
  }
  say(`${name}: initrd of ${megabytes(initrd)}`);
  return folder;
}

async function main(checkout: string, names: readonly string[]): Promise<void> {
  const osbuilder = join(checkout, "tools/osbuilder");
  if (!existsSync(join(osbuilder, "rootfs-builder/rootfs.sh")))
    throw new Error(`no osbuilder in ${checkout}; KATA= names a checkout of Kata Containers`);
  if (process.getuid?.() !== 0) throw new Error("osbuilder needs root");
  if (!existsSync(tarball)) throw new Error("the tarball is missing, make agent-tarball makes it");
  mkdirSync(out, { recursive: true });
  const modules = kernelModules();
  const roots = names.map((name) => makeRoot(osbuilder, name, modules));
  for (const image of await makeOsbuilderImages({ osbuilder, roots, out, say }))
    say(`${image.slice(root.length + 1)} ${megabytes(image)}`);
}

const [checkout = ".", ...names] = process.argv.slice(2);
try {
  const unknown = names.find((name) => !guests.includes(name));
  if (unknown !== undefined) throw new Error(`no root ${unknown}, only ${guests.join(", ")}`);
  await main(checkout, names.length > 0 ? names : guests);
} catch (error) {
  say(error instanceof Error ? error.message : String(error));
  process.exitCode = 1;
}
