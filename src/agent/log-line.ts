import { version } from "../base/version.ts";

/** The parts of a log line that are the same for all of them (agent-api 6.6). */
export const lineFields: Readonly<Record<string, string>> = {
  version,
  subsystem: "agent",
  pid: String(process.pid),
  name: "kata-agent",
  source: "agent",
};

/** The line that tells how many others have been lost. */
export function droppedLine(count: number): string {
  const msg = `${count} log lines were dropped`;
  return `${JSON.stringify({ level: "WARN", ts: new Date().toISOString(), ...lineFields, msg })}\n`;
}
