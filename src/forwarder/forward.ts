import { open } from "node:fs/promises";
import type { Log } from "../base/log.ts";
import { formatAddress } from "../vsock/address.ts";
import { type Listener, listen } from "../vsock/listen.ts";
import { CollectorOutput } from "./collector-output.ts";
import type { Config } from "./config.ts";
import { type AppendText, LinesOutput } from "./lines-output.ts";
import type { Output } from "./output.ts";
import { createPost } from "./post.ts";
import { Receiver } from "./receiver.ts";
import { servePage } from "./ui/page-server.ts";
import { RecentTraces } from "./ui/recent-traces.ts";
import { shownOutputs } from "./ui/shown-output.ts";

/** A forwarder at work. */
export type Forwarder = {
  /** Stops accepting, lets what has arrived go out, and closes everything, within the config's `drainMs`. */
  close(): Promise<void>;
};

/**
 * Opens the outputs, then the listeners. `print` appends to stdout.
 * @throws the system error when the file or an address cannot be opened; nothing stays open then.
 */
export async function startForwarder(config: Config, print: AppendText, log: Log): Promise<Forwarder> {
  const undo: (() => Promise<void>)[] = [];
  const close = async () => {
    for (const step of undo.splice(0).reverse()) await step();
  };
  try {
    const outputs: Output[] = [];
    if (config.file !== undefined) outputs.push(await linesOutput(config.file, print, undo));
    for (const backend of config.backends)
      outputs.push(new CollectorOutput(`http://${backend.authority}`, createPost(backend), log));
    undo.push(async () => void (await Promise.all(outputs.map((output) => output.close(config.drainMs)))));
    const receiver = new Receiver(await withPage(config, outputs, undo, log), log);
    undo.push(() => receiver.close(config.drainMs));
    const listeners: Listener[] = [];
    for (const address of config.listen) {
      const listener = await listen(address, receiver.accept, log);
      undo.push(() => listener.close());
      listeners.push(listener);
    }
    log.info({ addresses: listeners.map(({ address }) => formatAddress(address)) }, "listening");
    return { close };
  } catch (error) {
    await close();
    throw error;
  }
}

/** Opens the page, if one is wanted, and lets it see what the outputs take. */
async function withPage(
  { ui }: Config,
  outputs: readonly Output[],
  undo: (() => Promise<void>)[],
  log: Log,
): Promise<readonly Output[]> {
  if (ui === undefined) return outputs;
  const traces = new RecentTraces();
  const server = await servePage(ui, traces, log);
  undo.push(() => server.close());
  log.info({ url: server.url }, "page is served");
  return shownOutputs(outputs, traces);
}

async function linesOutput(
  path: string,
  print: AppendText,
  undo: (() => Promise<void>)[],
): Promise<LinesOutput> {
  if (path === "-") return new LinesOutput("stdout", print);
  const file = await open(path, "a", 0o600);
  undo.push(() => file.close());
  return new LinesOutput(path, (text) => file.appendFile(text));
}
