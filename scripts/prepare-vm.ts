// Makes what booting a guest needs beside QEMU: the guest itself and, once, the vsock backend. With the cross compiler and
// the QEMU of the other architecture also a guest of that.
//
//   node scripts/prepare-vm.ts               fails when something cannot be had
//   node scripts/prepare-vm.ts --optional    says so and goes on: the VM tests will skip with the same words
//   node scripts/prepare-vm.ts --all-images  also the kinds of images that are not tested each time
import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { ownArchitecture } from "./image/architecture.ts";
import { buildTarget, hasCompiler } from "./target.ts";
import { ensureVsockBackend, hasQemu, qemuFor, whyNoVm } from "./vm-requirements.ts";

const projectDir = join(import.meta.dirname, "..");
const say = (line: string): void => void process.stdout.write(`vm: ${line}\n`);

function run(script: string, ...args: string[]): void {
  execFileSync(process.execPath, [join(import.meta.dirname, script), ...args], { stdio: "inherit" });
}

const rootfs = (...args: string[]): void => run("image/rootfs.ts", ...args);

/** What test/vm/image-kinds.test.ts boots only when asked. */
const otherImages = [
  ["--format", "initrd", "--init", "systemd"],
  ["--format", "ext4"],
  ["--format", "ext4", "--dax"],
  ["--format", "ext4", "--init", "systemd", "--dax"],
  ["--format", "erofs"],
  ["--format", "erofs", "--init", "systemd"],
  ["--format", "erofs", "--dax"],
];

function prepare(): void {
  if (!hasQemu(ownArchitecture()) || !ensureVsockBackend(say)) return;
  // Also as it is: an emulated processor takes seconds to unpack it.
  rootfs("--format", "initrd");
  rootfs("--format", "ext4", "--init", "systemd");
  run("package/agent-tarball.ts");
  run("package/osbuilder-guest.ts", "yes");
  run("package/node-root.ts", "--optional");
  if (!process.argv.includes("--all-images")) return;
  for (const image of otherImages) rootfs(...image);
}

/** A guest of an architecture that is not this machine's. */
function prepareForeign(): void {
  const architecture = ownArchitecture() === "amd64" ? "arm64" : "amd64";
  const target = buildTarget(projectDir, architecture);
  if (!hasCompiler(target)) {
    say(`no guest of ${architecture}: ${target.compiler} is missing`);
  } else if (!hasQemu(architecture)) {
    say(`no guest of ${architecture}: ${qemuFor(architecture)} is missing`);
  } else {
    run("build.ts", "--arch", architecture);
    rootfs("--format", "cpio", "--arch", architecture);
    run("package/agent-tarball.ts", architecture);
  }
}

try {
  prepare();
  prepareForeign();
} catch (error) {
  say(error instanceof Error ? error.message : String(error));
}
const missing = whyNoVm();
if (missing !== undefined) {
  say(`no guest can be booted: ${missing}`);
  if (process.argv[2] !== "--optional") process.exitCode = 1;
}
