import { AgentError } from "../base/agent-error.ts";
import type { Log } from "../base/log.ts";
import { anyCid } from "../vsock/address.ts";
import type { ConsoleOptions } from "./options/console-options.ts";

/**
 * Opens the debug console that the options ask for (agent-api 6.5), and leaves its end in `background`. One that cannot
 * be opened is told, and the agent goes on without. Its code is loaded only then.
 */
export async function openConsole(
  { debugConsole, debugConsolePort: port, vsockPeers }: ConsoleOptions,
  background: AsyncDisposableStack,
  log: Log,
): Promise<void> {
  if (!debugConsole) return;
  try {
    const { listenConsole, serialConsole } = await import("./debug-console.ts");
    const opened =
      port > 0
        ? await listenConsole({ kind: "vsock", cid: anyCid, port }, log, undefined, vsockPeers)
        : serialConsole(log);
    background.defer(() => opened.close());
    log.info({ port }, "debug console is open");
  } catch (error) {
    log.error({ error: AgentError.from(error).message }, "debug console was not opened");
  }
}
