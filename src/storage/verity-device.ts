/**
 * Primer. dm-verity is a device of the kernel over another one: every block that is read is checked against a tree of
 * hashes whose root is known. It is made by cryptsetup's program `veritysetup`. Its removal is asked for as soon as the
 * file system on it is mounted: the kernel then removes the device when the last user goes, which is the unmount, also
 * of a container whose agent has forgotten it.
 */
import { randomBytes } from "node:crypto";
import { rm, stat } from "node:fs/promises";
import { AgentError } from "../base/agent-error.ts";
import { Code } from "../base/code.ts";
import { loadKernelModule } from "../devices/kernel-module.ts";
import { runTool } from "../sys/run-tool.ts";
import type { Verity } from "./verity-options.ts";

const limits = { timeoutMs: 30_000, maxOutputBytes: 64 * 1024 };
const mapper = "/dev/mapper";

/** A device to mount. `removeWithLastUser`: removes it, now or when nobody uses it any more. */
export type VerityDevice = { readonly path: string; removeWithLastUser: () => Promise<void> };

/**
 * Puts a verity device over `device`; `hashes`: where the tree is, when that is another device.
 * @throws INTERNAL with what veritysetup says.
 */
export async function openVerity(device: string, verity: Verity, hashes = device): Promise<VerityDevice> {
  await stat(`${mapper}/control`).catch(() => loadKernelModule("dm-verity", []));
  const name = `kata-verity-${randomBytes(12).toString("hex")}`;
  const options = [
    "--no-superblock",
    `--hash-offset=${verity.treeOffsetBytes}`,
    `--data-blocks=${verity.dataBlocks}`,
    `--data-block-size=${verity.dataBlockBytes}`,
    `--hash-block-size=${verity.hashBlockBytes}`,
    `--hash=${verity.algorithm}`,
    `--salt=${verity.salt}`,
    `--format=${verity.hashType}`,
  ];
  try {
    await veritysetup(["open", ...options, "--", device, name, hashes, verity.rootHash]);
  } catch (error) {
    // One that was ended at its limit may have made the device.
    await veritysetup(["close", "--deferred", "--", name]).catch(() => undefined);
    throw error;
  }
  const path = `${mapper}/${name}`;
  return {
    path,
    async removeWithLastUser() {
      await veritysetup(["close", "--deferred", "--", name]);
      // Nobody would remove it when the kernel removes the device.
      await rm(path, { force: true });
    },
  };
}

async function veritysetup(args: readonly string[]): Promise<void> {
  const { status, stderr } = await runTool("veritysetup", args, limits);
  if (status !== 0) {
    throw new AgentError(Code.internal, `veritysetup ${args[0]} ended with status ${status}: ${stderr}`);
  }
}
