// Treats our tarball as osbuilder does and packs a guest of it: build/guest/osbuilder-<yes|no>.initrd, by AGENT_INIT.
//
//   node scripts/package/osbuilder-guest.ts yes|no
//
// Needs root, for owners and device nodes of the tree; anybody else is told and gets none. What it mounts is in a mount
// namespace of its own.
import { execFileSync } from "node:child_process";
import { existsSync, globSync, mkdirSync, mkdtempSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { version } from "../../src/base/version.ts";
import { ownArchitecture, traitsOf } from "../image/architecture.ts";
import { debianRoot } from "./debian-root.ts";
import { layModules } from "./kernel-modules.ts";
import { type AgentInit, packInitrd, treatRoot } from "./osbuilder-steps.ts";

const root = join(import.meta.dirname, "../..");
const say = (line: string): void => void process.stdout.write(`osbuilder-guest: ${line}\n`);

/** What osbuilder installs for Debian, and `EXTRA_PKGS=kmod`. */
const packages = ["chrony", "iptables", "dbus", "cryptsetup-bin", "e2fsprogs", "kmod"];

function make(agentInit: AgentInit, made: string): void {
  const work = mkdtempSync(join(root, "build/osbuilder-"));
  const tree = join(work, "root");
  try {
    mkdirSync(tree);
    const wanted = agentInit === "no" ? [...packages, "init"] : packages;
    execFileSync("tar", ["-xpf", debianRoot(wanted, say), "-C", tree]);
    treatRoot(tree, tarball, agentInit);
    layModules(tree, say);
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
  ...globSync(
    join(
      root,
      "{rootfs/{modules,units/*},scripts/package/{osbuilder-guest,osbuilder-steps,kernel-modules}.ts}",
    ),
  ),
];
const isFresh = existsSync(made) && inputs.every((path) => statSync(path).mtimeMs < statSync(made).mtimeMs);
if (process.getuid?.() !== 0) say("no guest of the tarball: needs root");
else if (!isFresh) make(agentInit, made);
