/**
 * The document that a host gives a guest at boot: gzip of TOML (agent-api 1.4 step 10). What it says comes from the
 * host, so nothing of it is believed before it is checked, and its size is bounded before it is unpacked.
 */
import { gunzipSync } from "node:zlib";
import { parse } from "smol-toml";
import { AgentError } from "../base/agent-error.ts";
import { Code } from "../base/code.ts";

/** `text`: the document as it came, which is what its digest covers. `data`: files by name. */
export type InitdataDocument = { text: Uint8Array; algorithm: string; data: ReadonlyMap<string, string> };

/** Room for a policy of 16 MiB, the most that one may have (agent-api 8), and as much again. */
const maxTextBytes = 32 * 1024 * 1024;
const knownVersion = "0.1.0";
const algorithms = new Set(["sha256", "sha384", "sha512"]);

/** Unpacks, reads and checks it. @throws INVALID_ARGUMENT, without any of its contents. */
export function parseInitdata(packed: Uint8Array): InitdataDocument {
  const text = unpacked(packed);
  const document = tableOf(text);
  if (document["version"] !== knownVersion) throw invalid(`its version is not ${knownVersion}`);
  const { algorithm } = document;
  if (typeof algorithm !== "string" || !algorithms.has(algorithm)) throw invalid("unknown digest algorithm");
  return { text, algorithm, data: filesOf(document["data"]) };
}

function unpacked(packed: Uint8Array): Uint8Array {
  try {
    return gunzipSync(packed, { maxOutputLength: maxTextBytes });
  } catch (error) {
    const tooLong = (error as NodeJS.ErrnoException).code === "ERR_BUFFER_TOO_LARGE";
    throw invalid(tooLong ? "it is too long" : "it is no gzip", error);
  }
}

function tableOf(text: Uint8Array): Readonly<Record<string, unknown>> {
  try {
    return parse(new TextDecoder("utf-8", { fatal: true }).decode(text));
  } catch (error) {
    throw invalid("it is no TOML", error);
  }
}

function filesOf(data: unknown): ReadonlyMap<string, string> {
  if (typeof data !== "object" || data === null || Array.isArray(data)) throw invalid("it has no data");
  const files = new Map<string, string>();
  for (const [name, text] of Object.entries(data)) {
    if (typeof text !== "string") throw invalid("its data is no text");
    files.set(name, text);
  }
  return files;
}

function invalid(why: string, cause?: unknown): AgentError {
  return new AgentError(Code.invalidArgument, `initdata: ${why}`, { cause });
}
