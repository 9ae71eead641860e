import type { Log } from "../base/log.ts";
import { formatAddress } from "../vsock/address.ts";
import type { Config } from "./config.ts";
import { Announcements } from "./in/announcements.ts";
import { type Accept, listenForVmm, listenOn, tracePort } from "./in/listeners.ts";
import { Receiver } from "./in/receiver.ts";
import { SandboxWatch } from "./in/sandbox-watch.ts";
import { Metrics } from "./metrics.ts";
import { createOutput } from "./out/create-output.ts";
import { FanOut } from "./out/fan-out.ts";
import type { AppendText } from "./out/lines-output.ts";
import { servePage } from "./ui/page-server.ts";
import { RecentTraces } from "./ui/recent-traces.ts";
import { showIn } from "./ui/show-taken.ts";

/** A forwarder at work. */
export type Forwarder = {
  readonly metrics: Metrics;
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
    const metrics = new Metrics();
    const fanOut = new FanOut(metrics, log);
    for (const backend of config.backends) {
      const output = await createOutput(backend, print, metrics, log);
      fanOut.outputs = [...fanOut.outputs, output];
    }
    undo.push(async () => {
      await Promise.all(fanOut.outputs.map((output) => output.close(config.drainMs)));
    });
    await openPage(config, fanOut, undo, log);
    const announcements = new Announcements(fanOut.deliver, metrics, log);
    undo.push(() => announcements.close());
    const receiver = new Receiver(fanOut.deliver, announcements, config.limits, metrics, log);
    undo.push(() => receiver.close(config.drainMs));
    await openListeners(config, (accepted, origin) => receiver.accept(accepted, origin), undo, log);
    return { metrics, close };
  } catch (error) {
    await close();
    throw error;
  }
}

/** Opens the page, if one is wanted, and lets it see what the outputs take. */
async function openPage(
  { ui }: Config,
  fanOut: FanOut,
  undo: (() => Promise<void>)[],
  log: Log,
): Promise<void> {
  if (ui === undefined) return;
  const traces = new RecentTraces();
  const server = await servePage(ui, traces, log);
  undo.push(() => server.close());
  log.info({ url: server.url }, "page is served");
  fanOut.onTaken = showIn(traces);
}

async function openListeners(
  config: Config,
  accept: Accept,
  undo: (() => Promise<void>)[],
  log: Log,
): Promise<void> {
  const addresses: string[] = [];
  for (const address of config.listen) {
    const listener = await listenOn(address, accept, log);
    undo.push(() => listener.close());
    addresses.push(formatAddress(listener.address));
  }
  const open = (path: string, sandboxId: string) => listenForVmm(path, tracePort, sandboxId, accept, log);
  const watch = new SandboxWatch(config.watch, open, log);
  undo.push(() => watch.close());
  await watch.start();
  log.info({ addresses, watched: config.watch.length }, "listening");
}
