/**
 * Primer. A volume that is made for one pod comes as an empty disk, and the guest makes the file system. The host says
 * that it is empty, but a disk with data that was named by mistake would be lost for good. So we look for ourselves:
 * blkid knows the signatures of file systems, partitions, RAID and encryption; and what has none must begin with zeros,
 * as every fresh disk does. An ext4 that is there is taken as it is: the request was repeated, or it was made before.
 */
import { open } from "node:fs/promises";
import { AgentError } from "../base/agent-error.ts";
import { Code } from "../base/code.ts";
import { runTool } from "../sys/run-tool.ts";
import { span } from "../trace/span.ts";
import { optionValue } from "./storage-option.ts";

const maxOutputBytes = 64 * 1024;
const probeMs = 30_000;
/** A large disk on a slow host. */
const makeMs = 120_000;
/** What blkid(8) answers: 2 for nothing found, 8 for signatures that contradict each other. */
const nothingFound = 2;
/** As far as the first metadata of all file systems that have no signature blkid knows. */
const headBytes = 1024 * 1024;
/** For a volume that lives as long as its pod: no journal, nothing reserved, few inodes (agent-api 4.2). */
const ext4Options = ["-F", "-O", "^has_journal", "-m", "0", "-i", "163840", "-I", "128"];

/**
 * Sees to it that a disk holds an ext4 file system; makes one only on a disk that holds nothing.
 * @throws INTERNAL when there is something else on it, or mkfs.ext4 fails; the reason of `signal`.
 */
export async function ensureExt4(device: string, signal?: AbortSignal): Promise<void> {
  if ((await probe(device, signal)) === "ext4") return;
  await mustBeginWithZeros(device);
  await span("mkfs.ext4", {}, async () => {
    const limits = { timeoutMs: makeMs, maxOutputBytes, ...(signal === undefined ? {} : { signal }) };
    const { status, stderr } = await runTool("mkfs.ext4", [...ext4Options, device], limits);
    if (status !== 0) throw new AgentError(Code.internal, `mkfs.ext4 ended with status ${status}: ${stderr}`);
  });
}

/** @returns `ext4`, or undefined for nothing at all. @throws INTERNAL for anything else. */
async function probe(device: string, signal: AbortSignal | undefined): Promise<"ext4" | undefined> {
  const limits = { timeoutMs: probeMs, maxOutputBytes, ...(signal === undefined ? {} : { signal }) };
  const { status, stdout, stderr } = await runTool("blkid", ["-p", "-o", "export", device], limits);
  if (status === nothingFound && stderr === "") return undefined;
  const found = optionValue(Buffer.from(stdout).toString().split("\n"), "TYPE");
  if (status === 0 && found === "ext4") return "ext4";
  const what = status === 0 ? (found ?? "a partition table") : "something that cannot be told";
  throw new AgentError(Code.internal, `the disk is not empty: it holds ${what}`);
}

async function mustBeginWithZeros(device: string): Promise<void> {
  const file = await open(device, "r");
  try {
    const head = new Uint8Array(headBytes);
    for (let read = 0; read < headBytes; ) {
      const { bytesRead } = await file.read(head, read, headBytes - read, read);
      if (bytesRead === 0) break;
      read += bytesRead;
    }
    if (head.some((byte) => byte !== 0)) {
      throw new AgentError(Code.internal, "the disk is not empty: it holds data without a known file system");
    }
  } finally {
    await file.close();
  }
}
