// Makes the guest's root as an initrd, and beside it the kernel: build/guest/initrd.cpio and build/guest/vmlinuz.
// Made anew only when something it is made of is newer.
//
//   node scripts/image/rootfs.ts
import {
  copyFileSync,
  existsSync,
  globSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
} from "node:fs";
import { join } from "node:path";
import { writeCpio } from "./cpio.ts";
import { guestKernel, guestModules } from "./guest-kernel.ts";
import { readTrees, withFolders } from "./guest-tree.ts";
import { stripNode } from "./strip-node.ts";
import { ownSystemRoot } from "./system-root.ts";

const root = join(import.meta.dirname, "../..");
const build = join(root, "build");
const guest = join(build, "guest");
const say = (line: string): void => void process.stdout.write(`rootfs: ${line}\n`);
const megabytes = (bytes: number): string => `${(bytes / 1e6).toFixed(1)} MB`;

/** The lists of rootfs/ that make a guest whose first process is the agent. */
const lists = ["base.tree", "agent.tree", "init-agent.tree"];

const inputs = [
  ...globSync("build/lib/!(agentctl|kata-trace-forwarder).*", { cwd: root }),
  ...globSync("{rootfs/*,scripts/image/*.ts,build/kata-agent}", { cwd: root }),
].map((path) => join(root, path));

function isFresh(file: string): boolean {
  if (!existsSync(file) || !existsSync(join(guest, "vmlinuz"))) return false;
  const madeAt = statSync(file).mtimeMs;
  return inputs.every((path) => existsSync(path) && statSync(path).mtimeMs < madeAt);
}

const initrd = join(guest, "initrd.cpio");
if (!isFresh(initrd)) {
  mkdirSync(guest, { recursive: true });
  stripNode(build);
  const system = ownSystemRoot(say);
  const kernel = guestKernel(system.path);
  const entries = [
    ...readTrees(lists, { architecture: system.architecture, build, system: system.path }),
    ...guestModules(
      kernel,
      readFileSync(join(root, "rootfs/modules"), "utf8"),
      "/usr/lib/kata-agent-node/modules.list",
    ),
  ];
  rmSync(initrd, { force: true });
  const bytes = writeCpio(`${initrd}.part`, withFolders(entries));
  renameSync(`${initrd}.part`, initrd);
  copyFileSync(kernel.image, join(guest, "vmlinuz"));
  const parts = [
    ["node", statSync(join(guest, "node")).size],
    ["agent bundle", statSync(join(build, "lib/kata-agent.bundle.js")).size],
  ] as const;
  say(
    `initrd.cpio ${megabytes(bytes)} (${parts.map(([name, size]) => `${name} ${megabytes(size)}`).join(", ")})`,
  );
  say(`vmlinuz ${megabytes(statSync(kernel.image).size)} (${kernel.release})`);
}
