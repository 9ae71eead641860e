/**
 * All options of the agent, resolved once and then only passed on (agent-api section 2).
 *
 * One table names every option: its key on the kernel command line, in the TOML file and in the environment, how its
 * text is read, and its default. A bad value never ends the agent, as it would end the guest: the default stays and a
 * warning names the key.
 */
import type { TracingMode } from "../trace/tracing-options.ts";
import {
  address,
  type LogLevel,
  level,
  type Reader,
  seconds,
  text,
  traceMode,
  wholeNumber,
} from "./option-readers.ts";

/** What the rest of the program sees. */
export type AgentOptions = Readonly<{
  logLevel: LogLevel;
  serverAddress: string;
  trace: TracingMode | "off";
  traceAddress: string;
  traceFlushMs: number;
  /** W3C traceparent of whoever starts the guest; empty = none. The root span then is a child of theirs. */
  traceParent: string;
  /** Capacity of a container's output pipes in bytes; 0 = the kernel's default. */
  containerPipeBytes: number;
  /** How long crun may take before it is killed. */
  crunTimeoutMs: number;
  /** How long a device may take to come after the request that wants it. */
  hotplugTimeoutMs: number;
}>;

type Row<T> = {
  readonly cmdline: string;
  readonly file: string;
  readonly env?: string;
  readonly read: Reader<T>;
  readonly fallback: T;
};

type Table = { readonly [K in keyof AgentOptions]: Row<AgentOptions[K]> };

/** The options by name. The reference's keys are kept; those that are ours begin with `agent.trace_` or `agent.crun_`. */
export const optionTable: Table = {
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
  trace: {
    cmdline: "agent.trace",
    file: "tracing",
    env: "KATA_AGENT_TRACING",
    read: traceMode,
    fallback: "off",
  },
  traceAddress: {
    cmdline: "agent.trace_addr",
    file: "trace_addr",
    env: "KATA_AGENT_TRACE_ADDR",
    read: address,
    fallback: "vsock://2:10240",
  },
  traceFlushMs: {
    cmdline: "agent.trace_flush_timeout",
    file: "trace_flush_timeout",
    env: "KATA_AGENT_TRACE_FLUSH_TIMEOUT",
    read: seconds,
    fallback: 1000,
  },
  traceParent: {
    cmdline: "agent.trace_parent",
    file: "trace_parent",
    env: "TRACEPARENT",
    read: text,
    fallback: "",
  },
  containerPipeBytes: {
    cmdline: "agent.container_pipe_size",
    file: "container_pipe_size",
    read: wholeNumber,
    fallback: 0,
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
  const resolve = <T>(row: Row<T>): T => {
    let value = row.fallback;
    for (const [key, found] of candidates(row, words, sources)) {
      const read = row.read(found);
      if (read === undefined) warnings.push(`option ${key} has a bad value, which is ignored`);
      else value = read;
    }
    return value;
  };
  const options = Object.fromEntries(
    Object.entries(optionTable).map(([name, row]) => [name, resolve(row as Row<unknown>)]),
  ) as AgentOptions;
  return { options: Object.freeze(options), warnings };
}

function* candidates(
  row: Row<unknown>,
  words: ReadonlyMap<string, (string | true)[]>,
  sources: OptionSources,
): Iterable<[key: string, value: unknown]> {
  for (const value of words.get(row.cmdline) ?? []) yield [row.cmdline, value];
  if (sources.file !== undefined && row.file in sources.file) yield [row.file, sources.file[row.file]];
  const set = row.env === undefined ? undefined : sources.env?.[row.env];
  if (row.env !== undefined && set !== undefined) yield [row.env, set];
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
