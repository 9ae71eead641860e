import { readFile } from "node:fs/promises";
import { traceWord } from "../trace/trace-words.ts";
import { inForce, isTable, readKataConfig } from "./install/kata-config.ts";
import type { TomlTable } from "./install/parse-toml.ts";

/** What a step of the doctor has found; `what`: what there is to see, or what to do. */
export type Finding = { readonly state: "ok" | "broken" | "skipped"; readonly what: string };

const key = "agent.trace";

/** Whether a configuration of a Kata runtime, with its drop-ins, has its guests traced. */
export async function lookAtConfig(path: string | undefined): Promise<Finding> {
  if (path === undefined)
    return { state: "skipped", what: "--config FILE looks at the runtime's configuration" };
  const config = await readKataConfig(path).catch((error: Error) => error);
  if (config instanceof Error) return { state: "broken", what: config.message };
  const table = inForce(config);
  if (tablesOf(table, "agent").some(({ enable_tracing }) => enable_tracing === true))
    return { state: "ok", what: `${path}: enable_tracing of the agent` };
  const parameters = tablesOf(table, "hypervisor").map(({ kernel_params }) => String(kernel_params ?? ""));
  if (parameters.some(asksForTrace)) return { state: "ok", what: `${path}: ${key} in kernel_params` };
  return {
    state: "broken",
    what: `${path} asks for no trace: set enable_tracing = true below [agent.kata], or add ${key} to kernel_params`,
  };
}

/** The tables below a table: one for each agent, or hypervisor. */
function tablesOf(config: TomlTable, name: string): TomlTable[] {
  const all = config[name];
  return isTable(all) ? Object.values(all).filter(isTable) : [];
}

/** Whether the command line of a guest's kernel, or that of a VMM which names it, asks for a trace. */
export async function lookAtCmdline(path: string | undefined): Promise<Finding> {
  if (path === undefined)
    return {
      state: "skipped",
      what: "--cmdline FILE looks at the command line, such as /proc/PID/cmdline of the VMM",
    };
  const text = await read(path);
  if (typeof text !== "string") return { state: "broken", what: `${path} cannot be read: ${text.message}` };
  if (asksForTrace(text)) return { state: "ok", what: `${key} is on the command line` };
  return {
    state: "broken",
    what: `no ${key} on the command line: this guest was started before the option was set, or by another configuration`,
  };
}

/** The last word that says something counts, as for the agent. */
function asksForTrace(cmdline: string): boolean {
  const words = cmdline.split(/[\s\0"]+/).filter((word) => word === key || word.startsWith(`${key}=`));
  const last = words.map((word) => traceWord(word === key ? "true" : word.slice(key.length + 1))).at(-1);
  return last !== undefined && last !== "off";
}

function read(path: string): Promise<string | Error> {
  return readFile(path, "utf8").catch((error: Error) => error);
}
