import { AgentError } from "../base/agent-error.ts";
import type { Log } from "../base/log.ts";
import type { LogPort } from "./log-port.ts";
import type { AgentOptions } from "./options/options.ts";

/**
 * Begins to send the guest's journal to the log's port, if the options ask for it, and leaves its end in `background`. One
 * that cannot be opened is told, and the agent goes on without. Its code is loaded only then.
 */
export async function openJournal(
  { journal, logLevel }: Pick<AgentOptions, "journal" | "logLevel">,
  port: LogPort | undefined,
  background: AsyncDisposableStack,
  log: Log,
): Promise<void> {
  if (!journal) return;
  if (port === undefined) {
    // The console has the kernel's lines already; each would come back to it once more.
    log.warn({}, "agent.journal has no effect without agent.log_vport");
    return;
  }
  try {
    const { Journal } = await import("./journal.ts");
    const opened = new Journal({ target: port, level: logLevel, log });
    background.defer(async () => opened.close());
  } catch (error) {
    log.error({ error: AgentError.from(error).message }, "journal was not opened");
  }
}
