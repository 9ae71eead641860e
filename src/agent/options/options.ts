/**
 * All options of the agent, resolved once and then only passed on (agent-api section 2).
 *
 * One table names every option: its keys, how its text is read, and its default; rows of one subject stand in a file of
 * their own. A bad value never ends the agent, as it would end the guest: the default stays and a warning names the
 * key. So does one for a good value that asks for something that this agent does not have.
 */
import { type CdiOptions, cdiOptions } from "./cdi-options.ts";
import { type CgroupOptions, cgroupOptions, wantsCgroupV1 } from "./cgroup-options.ts";
import { type ConsoleOptions, consoleOptions } from "./console-options.ts";
import { type IdleOptions, idleOptions } from "./idle-options.ts";
import { type MemAgentOptions, memAgentOptions } from "./mem-agent-options.ts";
import { address, type LogLevel, level, listenerPort, seconds, wholeNumber } from "./option-readers.ts";
import type { OptionRow, OptionTable } from "./option-row.ts";
import { type PolicyOptions, policyOptions } from "./policy-options.ts";
import { type TraceOptions, traceOptions } from "./trace-options.ts";

/** What the rest of the program sees. */
export type AgentOptions = CoreOptions &
  ConsoleOptions &
  CdiOptions &
  CgroupOptions &
  MemAgentOptions &
  PolicyOptions &
  IdleOptions &
  TraceOptions;

type CoreOptions = Readonly<{
  logLevel: LogLevel;
  serverAddress: string;
  /** Capacity of a container's output pipes in bytes; 0 = the kernel's default. */
  containerPipeBytes: number;
  /** Where the host connects the streams that it passes for processes; empty = nowhere (agent-api 6.7). */
  passedStreamsAddress: string;
  /** How long crun may take before it is killed. */
  crunTimeoutMs: number;
  /** How long a device may take to come after the request that wants it. */
  hotplugTimeoutMs: number;
}>;

/**
 * The options by name. The reference's keys are kept; those that are ours are `agent.journal` and what begins with
 * `agent.trace_`, `agent.crun_` or `agent.vsock_`.
 */
export const optionTable: OptionTable<AgentOptions> = {
  ...consoleOptions,
  ...cdiOptions,
  ...cgroupOptions,
  ...memAgentOptions,
  ...policyOptions,
  ...idleOptions,
  ...traceOptions,
  logLevel: {
    cmdline: "agent.log",
    file: "log_level",
    env: "KATA_AGENT_LOG_LEVEL",
    read: level,
    fallback: "info",
  },
  serverAddress: {
    cmdline: "agent.server_addr",
    file: "server_addr",
    env: "KATA_AGENT_SERVER_ADDR",
    read: address,
    fallback: "vsock://-1:1024",
  },
  containerPipeBytes: {
    cmdline: "agent.container_pipe_size",
    file: "container_pipe_size",
    read: wholeNumber,
    fallback: 0,
  },
  passedStreamsAddress: {
    cmdline: "agent.passfd_listener_port",
    file: "passfd_listener_port",
    read: listenerPort,
    fallback: "",
  },
  crunTimeoutMs: {
    cmdline: "agent.crun_timeout",
    file: "crun_timeout",
    read: seconds,
    fallback: 30_000,
  },
  hotplugTimeoutMs: {
    cmdline: "agent.hotplug_timeout",
    file: "hotplug_timeout",
    read: seconds,
    fallback: 3000,
  },
};

/** Where options come from. Absent sources are not looked at. */
export type OptionSources = {
  /** Text of `/proc/cmdline`. */
  cmdline: string | undefined;
  /** The parsed TOML file. */
  file: Readonly<Record<string, unknown>> | undefined;
  env: Readonly<Record<string, string | undefined>> | undefined;
};

/** Resolves every option: default, then command line, then file, then environment; the last good value wins. */
export function resolveOptions(sources: OptionSources): { options: AgentOptions; warnings: string[] } {
  const warnings: string[] = [];
  const words = cmdlineWords(sources.cmdline ?? "");
  const resolve = <T>(row: OptionRow<T>): T => {
    let value = row.fallback;
    for (const [key, found] of candidates(row, words, sources)) {
      const read = row.read(found);
      if (read === undefined) warnings.push(`option ${key} has a bad value, which is ignored`);
      else value = read;
      if (read !== undefined && row.idle === true) warnings.push(`option ${key} has no effect in this agent`);
    }
    return value;
  };
  const options = Object.fromEntries(
    Object.entries(optionTable).map(([name, row]) => [name, resolve(row as OptionRow<unknown>)]),
  ) as AgentOptions;
  if (wantsCgroupV1(options)) warnings.push("version 1 of control groups is not mounted, version 2 is");
  return { options: Object.freeze(options), warnings };
}

function* candidates(
  row: OptionRow<unknown>,
  words: ReadonlyMap<string, (string | true)[]>,
  sources: OptionSources,
): Iterable<[key: string, value: unknown]> {
  const { cmdline, file } = row;
  if (cmdline !== undefined) for (const value of words.get(cmdline) ?? []) yield [cmdline, value];
  if (file !== undefined && sources.file !== undefined && Object.hasOwn(sources.file, file))
    yield [file, sources.file[file]];
  for (const key of [row.oldEnv, row.env]) {
    const set = key === undefined ? undefined : sources.env?.[key];
    if (key !== undefined && set !== undefined) yield [key, set];
  }
}

/** `key=value` and bare words of a kernel command line, in order; a bare word counts as `true`. */
export function cmdlineWords(cmdline: string): Map<string, (string | true)[]> {
  const words = new Map<string, (string | true)[]>();
  for (const word of cmdline.split(/\s+/).filter(Boolean)) {
    const at = word.indexOf("=");
    const key = at < 0 ? word : word.slice(0, at);
    const values = words.get(key) ?? [];
    values.push(at < 0 ? true : word.slice(at + 1));
    words.set(key, values);
  }
  return words;
}
