import { readFileSync } from "node:fs";
import { AgentError } from "../../base/agent-error.ts";
import { Code } from "../../base/code.ts";
import { type AgentOptions, cmdlineWords, type OptionSources, resolveOptions } from "./options.ts";

/** What the program was started with. */
export type Invocation = {
  /** Path given by `--config`. */
  configFile: string | undefined;
  env: Readonly<Record<string, string | undefined>>;
  cmdlineFile: string;
};

/**
 * Reads the options from where the reference does (agent-api 2.1): a file named by `--config`, with the environment
 * over it; else the kernel command line, which may name a file of its own that then counts alone; else the
 * environment over the command line.
 * @throws INTERNAL when a file that was named cannot be read or parsed: it may name a policy, and a guest without the
 * policy that was meant for it must not come up.
 */
export async function loadOptions(from: Invocation): Promise<{ options: AgentOptions; warnings: string[] }> {
  if (from.configFile !== undefined) {
    return withFile(from.configFile, { cmdline: undefined, file: undefined, env: from.env });
  }
  const cmdline = readText(from.cmdlineFile);
  const named = cmdlineWords(cmdline ?? "").get("agent.config_file")?.[0];
  if (typeof named === "string")
    return withFile(named, { cmdline: undefined, file: undefined, env: undefined });
  return resolveOptions({ cmdline, file: undefined, env: from.env });
}

async function withFile(path: string, sources: OptionSources): Promise<ReturnType<typeof resolveOptions>> {
  return resolveOptions({ ...sources, file: await parsedFile(path) });
}

async function parsedFile(path: string): Promise<OptionSources["file"]> {
  // Loaded on demand: most guests are told everything by the command line.
  const { parse } = await import("smol-toml");
  try {
    return parse(readFileSync(path, "utf8"));
  } catch (error) {
    // The first line says what is wrong; the others show the place, and with it a value.
    const [what] = AgentError.from(error).message.split("\n", 1);
    throw new AgentError(Code.internal, `configuration file was not read: ${what}`);
  }
}

function readText(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return undefined;
  }
}
