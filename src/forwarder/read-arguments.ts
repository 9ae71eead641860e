import { Command, CommanderError, InvalidArgumentError } from "commander";
import { version } from "../base/version.ts";
import { type Address, parseAddress } from "../vsock/address.ts";
import type { BackendConfig } from "./backend-config.ts";
import { backendByUrl, type UrlKind } from "./backend-url.ts";
import { tracePort } from "./in/listeners.ts";
import { knownPatterns, parsePattern, type SandboxPattern } from "./in/sandbox-pattern.ts";

/** What the command line says; nothing where it is silent. */
export type Arguments = {
  readonly config: string | undefined;
  readonly listen: readonly Address[];
  readonly watch: readonly SandboxPattern[];
  readonly backends: readonly BackendConfig[];
  readonly dumpOnly: boolean;
  /** Folder for the logs of guests. */
  readonly guestLogs: string | undefined;
  readonly admin: Address | undefined;
  readonly ui: Address | undefined;
  readonly logLevel: string | undefined;
  readonly drainMs: number | undefined;
};

/** What to do instead of running: print `text` (to stderr when `status` is not 0) and exit. */
export type Usage = { readonly status: number; readonly text: string };

const logLevels = ["trace", "debug", "info", "warn", "error"];
const defaultUi = "127.0.0.1:16240";
const usageStatus = 2;
const anyCid = "-1";

type Options = {
  config?: string;
  listen: Address[];
  socketPath: Address[];
  vsock?: boolean;
  vsockCid?: string;
  vsockPort?: number;
  watch?: boolean | string[];
  file?: string;
  otlp: BackendConfig[];
  otlpEndpoint: BackendConfig[];
  zipkin: BackendConfig[];
  datadog: BackendConfig[];
  tree?: boolean;
  dumpOnly?: boolean | string;
  guestLogs?: string;
  admin?: Address;
  ui?: Address | true;
  logLevel?: string;
  drainTimeout?: number;
};

/** Reads the command line (without the program's name). */
export function readArguments(args: readonly string[]): Arguments | Usage {
  let text = "";
  const write = (more: string) => {
    text += more;
  };
  const program = newCommand().exitOverride().configureOutput({ writeOut: write, writeErr: write });
  try {
    program.parse(args, { from: "user" });
    return argumentsOf(program.opts<Options>());
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    return { status: error.exitCode === 0 ? 0 : usageStatus, text };
  }
}

/** The command line's flags, with what they read. */
export function newCommand(): Command {
  return new Command("kata-trace-forwarder")
    .description("Takes traces from Kata guests of any version and hands them to any number of backends.")
    .version(version)
    .option("-c, --config <file>", "TOML; is read again when it changes, at SIGHUP, and by POST /reload")
    .option(
      "-l, --listen <address>",
      "unix:///path, tcp://host:port, vsock://cid:port; repeatable",
      address,
      [],
    )
    .option("--socket-path <path>", `hybrid VSOCK: listens on <path>_${tracePort}; repeatable`, hybrid, [])
    .option("--vsock", `listens on AF_VSOCK port ${tracePort} for all guests`)
    .option("--vsock-cid <cid>", "the same for one CID, or any", cid)
    .option("--vsock-port <port>", "the same on another port", port)
    .option(
      "-w, --watch [template]",
      "listens for sandboxes as they come; template: /path/{sandbox}/socket",
      watched,
    )
    .option("-f, --file <path>", "appends OTLP JSON lines, - for stdout (the default without a backend)")
    .option(
      "-o, --otlp <url>",
      "OTLP over HTTP, such as http://localhost:4318; repeatable",
      backend("otlp-http"),
      [],
    )
    .option(
      "--otlp-endpoint <url>",
      "OTLP over gRPC, such as http://localhost:4317; repeatable",
      backend("otlp-grpc"),
      [],
    )
    .option("--zipkin <url>", "Zipkin v2, such as http://localhost:9411; repeatable", backend("zipkin"), [])
    .option(
      "--datadog <url>",
      "Datadog's agent, such as http://localhost:8126; repeatable",
      backend("datadog"),
      [],
    )
    .option("--tree", "prints spans to stdout for people")
    .option("--dump-only [bool]", "hands nothing on, prints what came to stdout", truth)
    .option("--trace-name <name>", "taken for upstream's sake, not used")
    .option("--guest-logs <folder>", "keeps the logs of guests, from their agents' log port, as JSON lines")
    .option("--admin <address>", "metrics and health, such as tcp://127.0.0.1:10241", address1)
    .option("--ui [address]", `a page to look at traces, on loopback (default ${defaultUi})`, loopback)
    .option("--log-level <level>", logLevels.join(", "), logLevel)
    .option("--drain-timeout <ms>", "limit for what is under way at the end", wholeNumber)
    .showHelpAfterError("(--help shows what is possible)");
}

function argumentsOf(options: Options): Arguments {
  const dumpOnly = options.dumpOnly === true || options.dumpOnly === "true";
  const backends: BackendConfig[] = [
    ...(options.file === undefined ? [] : [fileBackend(options.file)]),
    ...(options.tree === true ? [{ kind: "stdout", name: "tree", format: "tree" } as const] : []),
    ...options.otlp,
    ...options.otlpEndpoint,
    ...options.zipkin,
    ...options.datadog,
  ];
  return {
    config: options.config,
    listen: [...options.listen, ...options.socketPath, ...vsockAddresses(options)],
    watch: patternsOf(options.watch),
    backends: dumpOnly ? [fileBackend("-")] : backends,
    dumpOnly,
    guestLogs: options.guestLogs,
    admin: options.admin,
    ui: options.ui === true ? checked(`tcp://${defaultUi}`) : options.ui,
    logLevel: options.logLevel,
    drainMs: options.drainTimeout,
  };
}

/** OTLP JSON lines in a file, or on stdout for `-`. */
export function fileBackend(path: string): BackendConfig {
  if (path === "-") return { kind: "stdout", name: "stdout", format: "json" };
  return { kind: "file", name: path, path, maxBytes: undefined, keep: 0 };
}

function vsockAddresses({ vsock, vsockCid, vsockPort }: Options): Address[] {
  if (vsock !== true && vsockCid === undefined && vsockPort === undefined) return [];
  return [checked(`vsock://${vsockCid ?? anyCid}:${vsockPort ?? tracePort}`)];
}

function patternsOf(watch: Options["watch"]): readonly SandboxPattern[] {
  if (watch === undefined || watch === false) return [];
  return watch === true ? knownPatterns : watch.map(parsePattern);
}

function address(text: string, before: Address[]): Address[] {
  return [...before, checked(text)];
}

function address1(text: string): Address {
  return checked(text);
}

function hybrid(path: string, before: Address[]): Address[] {
  return [...before, checked(`hvsock://${path}:${tracePort}`)];
}

function loopback(text: string): Address {
  return checked(`tcp://${text}`);
}

function checked(text: string): Address {
  return orInvalid(() => parseAddress(text));
}

function orInvalid<T>(read: () => T): T {
  try {
    return read();
  } catch (error) {
    throw new InvalidArgumentError((error as Error).message);
  }
}

function watched(text: string, before: boolean | string[] | undefined): string[] {
  orInvalid(() => parsePattern(text));
  return [...(Array.isArray(before) ? before : []), text];
}

function backend(kind: UrlKind): (text: string, before: BackendConfig[]) => BackendConfig[] {
  return (text, before) => [...before, orInvalid(() => backendByUrl(kind, text))];
}

function cid(text: string): string {
  if (text === "any") return anyCid;
  if (/^\d{1,10}$/.test(text)) return text;
  throw new InvalidArgumentError("a number, or any");
}

function port(text: string): number {
  if (/^\d{1,10}$/.test(text)) return Number(text);
  throw new InvalidArgumentError("a port number");
}

function truth(text: string): string {
  if (text === "true" || text === "false") return text;
  throw new InvalidArgumentError("true or false");
}

function logLevel(text: string): string {
  if (logLevels.includes(text)) return text;
  throw new InvalidArgumentError(`one of ${logLevels.join(", ")}`);
}

function wholeNumber(text: string): number {
  if (/^\d{1,7}$/.test(text)) return Number(text);
  throw new InvalidArgumentError("a whole number of milliseconds");
}
