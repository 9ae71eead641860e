// Makes what booting a guest needs beside QEMU: the guest itself and, once, the vsock backend.
//
//   node scripts/prepare-vm.ts               fails when something cannot be had
//   node scripts/prepare-vm.ts --optional    says so and goes on: the VM tests will skip with the same words
import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { ownArchitecture } from "./image/architecture.ts";
import { ensureVsockBackend, hasQemu, whyNoVm } from "./vm-requirements.ts";

const say = (line: string): void => void process.stdout.write(`vm: ${line}\n`);

function rootfs(...args: string[]): void {
  const script = join(import.meta.dirname, "image/rootfs.ts");
  execFileSync(process.execPath, [script, ...args], { stdio: "inherit" });
}

function prepare(): void {
  if (!hasQemu(ownArchitecture()) || !ensureVsockBackend(say)) return;
  // As it is: an emulated processor takes seconds to unpack it.
  rootfs("--format", "cpio");
}

try {
  prepare();
} catch (error) {
  say(error instanceof Error ? error.message : String(error));
}
const missing = whyNoVm();
if (missing !== undefined) {
  say(`no guest can be booted: ${missing}`);
  if (process.argv[2] !== "--optional") process.exitCode = 1;
}
