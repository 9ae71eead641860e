import { execFileSync } from "node:child_process";
import { accessSync, constants, existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { type Architecture, buildFolder, ownArchitecture, traitsOf } from "./image/architecture.ts";

const root = join(import.meta.dirname, "..");

/** The program that carries VSOCK between a guest and unix sockets: nothing on this machine opens an AF_VSOCK socket. */
export const vsockBackendPath = join(root, ".cache/tools/bin/vhost-device-vsock");
const backendVersion = "0.3.0";

/** Where `make rootfs` leaves the guest of this architecture. */
export function guestFiles(architecture: Architecture): { readonly initrd: string; readonly kernel: string } {
  const guest = join(buildFolder(root, architecture), "guest");
  return { initrd: join(guest, "initrd.cpio"), kernel: join(guest, "vmlinuz") };
}

/** The program that is the machine for guests of this architecture. */
export function qemuFor(architecture: Architecture): string {
  return `qemu-system-${traitsOf(architecture).machine}`;
}

function isOpenable(path: string): boolean {
  try {
    accessSync(path, constants.R_OK | constants.W_OK);
    return true;
  } catch {
    return false;
  }
}

/**
 * Whether QEMU can use KVM. A device node alone says little: a machine that is itself a guest may have one and
 * stop at the first instruction, so an x86 processor has to offer virtualization too.
 */
export function hasKvm(): boolean {
  if (!isOpenable("/dev/kvm")) return false;
  return process.arch !== "x64" || /^flags\s*:.*\b(vmx|svm)\b/m.test(readFileSync("/proc/cpuinfo", "utf8"));
}

/** Whether QEMU for guests of this architecture is there. */
export function hasQemu(architecture: Architecture): boolean {
  try {
    execFileSync(qemuFor(architecture), ["--version"], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}

/** Why no guest of this architecture can be booted here, in a few plain words; undefined when one can. */
export function whyNoVm(architecture: Architecture = ownArchitecture()): string | undefined {
  if (!hasQemu(architecture)) return `${qemuFor(architecture)} is missing`;
  if (!existsSync(vsockBackendPath)) return "the vsock backend is missing, and cargo to build it";
  if (!existsSync(guestFiles(architecture).initrd))
    return `the guest is missing, make rootfs ARCH=${architecture} makes it`;
  return undefined;
}

/** Builds the vsock backend once, where cargo is. Takes one to two minutes. Returns whether it is there. */
export function ensureVsockBackend(say: (line: string) => void): boolean {
  if (existsSync(vsockBackendPath)) return true;
  try {
    execFileSync("cargo", ["--version"], { stdio: "ignore" });
  } catch {
    say("no cargo here to build vhost-device-vsock with");
    return false;
  }
  say(`building vhost-device-vsock ${backendVersion} (cargo, once, about two minutes)`);
  const tools = join(root, ".cache/tools");
  const args = [
    "install",
    "--quiet",
    "--locked",
    "--root",
    tools,
    "--version",
    backendVersion,
    "vhost-device-vsock",
  ];
  execFileSync("cargo", args, { stdio: ["ignore", "inherit", "inherit"] });
  return true;
}
