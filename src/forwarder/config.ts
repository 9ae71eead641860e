import { Command, CommanderError, InvalidArgumentError } from "commander";
import { version } from "../base/version.ts";
import { type Address, parseAddress } from "../vsock/address.ts";
import type { Backend } from "./post.ts";

/** What the forwarder has been told to do, resolved once. */
export type Config = {
  readonly listen: readonly Address[];
  /** Path of the file for OTLP JSON lines, `-` for stdout; undefined = none. */
  readonly file: string | undefined;
  readonly backends: readonly Backend[];
  /** Where to serve the page that shows traces, on loopback; undefined = nowhere. */
  readonly ui: Address | undefined;
  readonly logLevel: string;
  /** How long the end may take: requests under way, queues, files. */
  readonly drainMs: number;
};

/** What to do instead of running: print `text` (to stderr when `status` is not 0) and exit. */
export type Usage = { readonly status: number; readonly text: string };

/** Where agents send to (wire-and-tracing 2.1). */
const tracePort = 10240;
const defaultUi = "127.0.0.1:16240";
const logLevels = ["trace", "debug", "info", "warn", "error"];
const usageStatus = 2;

type Options = {
  listen: Address[];
  socketPath: Address[];
  file?: string;
  otlp: Backend[];
  ui?: Address | true;
  logLevel: string;
  drainTimeout: number;
};

/** Reads the command line (without the program's name). */
export function readConfig(args: readonly string[]): Config | Usage {
  let text = "";
  const write = (more: string) => {
    text += more;
  };
  const program = newCommand().exitOverride().configureOutput({ writeOut: write, writeErr: write });
  try {
    program.parse(args, { from: "user" });
    return configFrom(program);
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    return { status: error.exitCode === 0 ? 0 : usageStatus, text };
  }
}

function newCommand(): Command {
  return new Command("kata-trace-forwarder")
    .description(
      "Takes traces from Kata guests (OTLP over HTTP) and writes them to a file or passes them on.",
    )
    .version(version)
    .option(
      "-l, --listen <address>",
      "unix:///path, tcp://host:port, vsock://cid:port; repeatable",
      address,
      [],
    )
    .option("--socket-path <path>", `hybrid VSOCK: listens on <path>_${tracePort}; repeatable`, hybrid, [])
    .option("-f, --file <path>", "appends OTLP JSON lines, - for stdout (the default without --otlp)")
    .option(
      "-o, --otlp <url>",
      "passes on to a collector, such as http://localhost:4318; repeatable",
      backend,
      [],
    )
    .option("--ui [address]", `a page to look at traces, on loopback (default ${defaultUi})`, loopback)
    .option("--log-level <level>", logLevels.join(", "), logLevel, "info")
    .option("--drain-timeout <ms>", "limit for what is under way at the end", wholeNumber, 5000)
    .showHelpAfterError("(--help shows what is possible)");
}

function configFrom(program: Command): Config {
  const { listen, socketPath, file, otlp, ui, logLevel, drainTimeout } = program.opts<Options>();
  const all = [...listen, ...socketPath];
  if (all.length === 0) program.error("error: --listen or --socket-path is needed");
  return Object.freeze({
    listen: all,
    file: file ?? (otlp.length === 0 ? "-" : undefined),
    backends: otlp,
    ui: ui === true ? checked(`tcp://${defaultUi}`) : ui,
    logLevel,
    drainMs: drainTimeout,
  });
}

function address(text: string, before: Address[]): Address[] {
  return [...before, checked(text)];
}

function hybrid(path: string, before: Address[]): Address[] {
  return [...before, checked(`hvsock://${path}:${tracePort}`)];
}

function loopback(text: string): Address {
  return checked(`tcp://${text}`);
}

function checked(text: string): Address {
  try {
    return parseAddress(text);
  } catch (error) {
    throw new InvalidArgumentError((error as Error).message);
  }
}

/** A base URL as OTLP senders have it: `/v1/traces` is appended unless it is there. */
function backend(text: string, before: Backend[]): Backend[] {
  const url = URL.parse(text);
  if (url?.protocol !== "http:") throw new InvalidArgumentError("not an http:// URL");
  const path = url.pathname.replace(/\/$/, "");
  const target = checked(`tcp://${url.hostname}:${url.port || "4318"}`);
  const traces = path.endsWith("/v1/traces") ? path : `${path}/v1/traces`;
  return [...before, { address: target, authority: url.host, path: traces }];
}

function logLevel(text: string): string {
  if (logLevels.includes(text)) return text;
  throw new InvalidArgumentError(`one of ${logLevels.join(", ")}`);
}

function wholeNumber(text: string): number {
  if (/^\d{1,7}$/.test(text)) return Number(text);
  throw new InvalidArgumentError("a whole number of milliseconds");
}
