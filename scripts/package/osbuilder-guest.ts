// Treats our tarball as osbuilder does and packs a guest of it: build/guest/osbuilder-<yes|no>.initrd, by AGENT_INIT.
//
//   node scripts/package/osbuilder-guest.ts yes|no
//
// Needs root, for owners and device nodes of the tree; anybody else is told and gets none. What it mounts is in a mount
// namespace of its own.
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import {
  existsSync,
  globSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { version } from "../../src/base/version.ts";
import { aptOptions } from "../image/apt-options.ts";
import { ownArchitecture, traitsOf } from "../image/architecture.ts";
import { debianSources } from "../image/debian-sources.ts";
import { guestKernel, guestModules } from "../image/guest-kernel.ts";
import { ownSystemRoot } from "../image/system-root.ts";
import { type AgentInit, packInitrd, treatRoot } from "./osbuilder-steps.ts";

const root = join(import.meta.dirname, "../..");
const say = (line: string): void => void process.stdout.write(`osbuilder-guest: ${line}\n`);

/** What osbuilder installs for Debian, and `EXTRA_PKGS=kmod`. */
const packages = ["chrony", "iptables", "dbus", "cryptsetup-bin", "e2fsprogs", "kmod"];

/** The installed distribution as an archive, made once for each list of packages. */
function bootstrapped(agentInit: AgentInit): string {
  const { release, lines } = debianSources();
  const wanted = agentInit === "no" ? [...packages, "init"] : packages;
  const key = createHash("sha256")
    .update([release, ...wanted].join())
    .digest("hex")
    .slice(0, 8);
  const archive = join(root, ".cache/osbuilder", `${key}.tar`);
  if (existsSync(archive)) return archive;
  mkdirSync(dirname(archive), { recursive: true });
  say(`installing ${wanted.join(", ")} into a root of their own`);
  const include = `--include=${wanted.join(",")}`;
  const options = ["--quiet", "--variant=required", "--format=tar", include, ...aptOptions()];
  const part = `${archive}.${process.pid}.tar`;
  execFileSync("unshare", ["--mount", "mmdebstrap", ...options, release, part, ...lines], {
    stdio: ["ignore", "ignore", "inherit"],
  });
  renameSync(part, archive);
  return archive;
}

/** Debian's kernel has VSOCK as a module where Kata's own has it built in. */
function addModules(tree: string): void {
  const kernel = guestKernel(ownSystemRoot(say).path);
  const list = readFileSync(join(root, "rootfs/modules"), "utf8");
  for (const entry of guestModules(kernel, list, "/usr/lib/kata-agent-node/modules.list")) {
    if (!("data" in entry)) continue;
    mkdirSync(dirname(join(tree, entry.path)), { recursive: true });
    writeFileSync(join(tree, entry.path), entry.data);
  }
  // It warns that the list of what the kernel has built in is not there, which none of ours needs.
  execFileSync("depmod", ["-b", tree, kernel.release], { stdio: "pipe" });
}

function make(agentInit: AgentInit, made: string): void {
  const work = mkdtempSync(join(root, "build/osbuilder-"));
  const tree = join(work, "root");
  try {
    mkdirSync(tree);
    execFileSync("tar", ["-xpf", bootstrapped(agentInit), "-C", tree]);
    treatRoot(tree, tarball, agentInit);
    addModules(tree);
    packInitrd(tree, made, agentInit);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
  say(`${made.slice(root.length + 1)} ${(statSync(made).size / 1e6).toFixed(1)} MB`);
}

const agentInit: AgentInit = process.argv[2] === "no" ? "no" : "yes";
const tarball = join(root, "build", `kata-agent-${version}-${traitsOf(ownArchitecture()).machine}.tar.zst`);
const made = join(root, "build/guest", `osbuilder-${agentInit}.initrd`);
const inputs = [
  tarball,
  ...globSync(join(root, "{rootfs/{modules,units/*},scripts/package/osbuilder-*.ts}")),
];
const isFresh = existsSync(made) && inputs.every((path) => statSync(path).mtimeMs < statSync(made).mtimeMs);
if (process.getuid?.() !== 0) say("no guest of the tarball: needs root");
else if (!isFresh) make(agentInit, made);
