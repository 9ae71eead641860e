import { AgentError } from "../base/agent-error.ts";
import { Code } from "../base/code.ts";
import type { Verity } from "./verity-options.ts";

const defaultBlockBytes = "4096";
const maxBlocks = 2 ** 40;

/**
 * What the command line says about an extension's hashes (agent-api 1.3):
 * `root_hash=…,salt=…,data_blocks=…,data_block_size=…,hash_block_size=…`; undefined when it says nothing.
 * @throws INTERNAL for anything that is not of that form.
 */
export function extensionVerity(params: string): Verity | undefined {
  if (params === "") return undefined;
  const fields = new Map(params.split(",").map((pair) => [pair.split("=", 1)[0], pair.split("=")[1] ?? ""]));
  const dataBlocks = number(fields.get("data_blocks"));
  if (dataBlocks < 1 || dataBlocks > maxBlocks) throw invalid();
  return {
    rootHash: matching(fields.get("root_hash"), /^(?:[0-9a-f]{2}){16,64}$/i),
    // The hashes have a partition of their own, and begin where it does.
    treeOffsetBytes: 0,
    dataBlocks,
    dataBlockBytes: blockSize(fields.get("data_block_size") || defaultBlockBytes),
    hashBlockBytes: blockSize(fields.get("hash_block_size") || defaultBlockBytes),
    algorithm: "sha256",
    salt: matching(fields.get("salt") || "-", /^(?:-|(?:[0-9a-f]{2}){1,256})$/i),
    hashType: 1,
  };
}

function blockSize(text: string): number {
  const bytes = number(text);
  if (bytes < 512 || bytes > 65_536 || (bytes & (bytes - 1)) !== 0) throw invalid();
  return bytes;
}

function number(text: string | undefined): number {
  return Number(matching(text, /^\d{1,15}$/));
}

function matching(text: string | undefined, pattern: RegExp): string {
  if (text === undefined || !pattern.test(text)) throw invalid();
  return text;
}

function invalid(): AgentError {
  return new AgentError(Code.internal, "the verity parameters of an extension are not of their form");
}
