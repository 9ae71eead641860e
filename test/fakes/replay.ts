/** What a shim does with a process that it has started: reads both outputs to their end, then asks for the exit. */
import type { Methods } from "./real-agent.ts";

/** The buffer of the Go shim (agent-api 3.10). */
const readBytes = 32 * 1024;

/** What came of a process. */
export type Attached = { readonly stdout: string; readonly stderr: string; readonly status: number };

/** Reads one output to its end, as both shims do. */
export async function readToEnd(
  calls: Methods,
  process: { container_id: string; exec_id: string },
  stream: "ReadStdout" | "ReadStderr",
): Promise<string> {
  const parts: Uint8Array[] = [];
  for (;;) {
    const { data } = await calls[stream]({ ...process, len: readBytes });
    if (data.length === 0) return Buffer.concat(parts).toString();
    parts.push(data);
  }
}

/** Follows a process to its end. The shims do not ask for stderr of a terminal. */
export async function attach(
  calls: Methods,
  container_id: string,
  exec_id: string,
  terminal = false,
): Promise<Attached> {
  const process = { container_id, exec_id };
  const [stdout, stderr] = await Promise.all([
    readToEnd(calls, process, "ReadStdout"),
    terminal ? "" : readToEnd(calls, process, "ReadStderr"),
  ]);
  const { status } = await calls.WaitProcess(process);
  return { stdout, stderr, status };
}
