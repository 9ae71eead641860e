import { AgentError } from "../base/agent-error.ts";
import { Code } from "../base/code.ts";
import { runTool } from "../sys/run-tool.ts";
import { span } from "../trace/span.ts";

const modprobe = "/sbin/modprobe";
const limits = { timeoutMs: 30_000, maxOutputBytes: 64 * 1024 };
/** As much as an error message may carry of what was printed. */
const maxOutputLength = 1000;

/**
 * Loads a kernel module with its parameters by modprobe (agent-api 3.1 step 3).
 * @throws INTERNAL with exit code and output of modprobe, the latter cut at 1,000 characters each.
 */
export async function loadKernelModule(name: string, parameters: readonly string[]): Promise<void> {
  if (name === "" || name.startsWith("-") || name.includes("\0")) {
    throw new AgentError(Code.internal, "kernel module name is invalid");
  }
  await span("kernel module", {}, async () => {
    // What follows is no option, whatever it looks like.
    const { status, stdout, stderr } = await runTool(modprobe, ["-v", "--", name, ...parameters], limits);
    if (status === 0) return;
    const printed = Buffer.from(stdout).toString("utf8").trim().slice(0, maxOutputLength);
    throw new AgentError(
      Code.internal,
      `modprobe ${name.slice(0, maxOutputLength)} ended with status ${status}, stdout: ${printed}, stderr: ${stderr}`,
    );
  });
}
