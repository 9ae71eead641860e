import { readdir, readFile, stat } from "node:fs/promises";
import { extname, join } from "node:path";
import { AgentError } from "../base/agent-error.ts";
import { Code } from "../base/code.ts";
import { type CdiDocument, cdiDocument } from "./cdi-document.ts";

/** What a folder of specification files offers; files that cannot be used are told with the reason. */
export type CdiFolder = { documents: CdiDocument[]; unusable: { file: string; reason: string }[] };

const extensions = [".json", ".yaml"];
/** The largest known file, for a machine full of GPUs, has 100 KiB. */
const maxBytes = 4 * 1024 * 1024;
const maxFiles = 256;

/** Reads all specification files of a folder, by name; without the folder there are none. Never rejects. */
export async function readCdiFolder(folder: string): Promise<CdiFolder> {
  const names = (await readdir(folder).catch(() => [])).filter((name) => extensions.includes(extname(name)));
  const found: CdiFolder = { documents: [], unusable: [] };
  for (const file of names.sort().slice(0, maxFiles)) {
    try {
      found.documents.push(cdiDocument(await parsed(join(folder, file))));
    } catch (error) {
      found.unusable.push({ file, reason: AgentError.from(error).message });
    }
  }
  return found;
}

async function parsed(path: string): Promise<unknown> {
  const { size } = await stat(path);
  if (size > maxBytes) throw new AgentError(Code.internal, "the file is too long");
  const text = await readFile(path, "utf8");
  return extname(path) === ".json" ? parsedJson(text) : await parsedYaml(text);
}

function parsedJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new AgentError(Code.internal, "the file is not JSON");
  }
}

/** JSON is YAML too. The parser takes a bounded number of aliases, so a small file cannot ask for much memory. */
async function parsedYaml(text: string): Promise<unknown> {
  const { parse } = await import("yaml");
  try {
    return parse(text);
  } catch {
    throw new AgentError(Code.internal, "the file is not YAML");
  }
}
