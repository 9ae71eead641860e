import { AgentError } from "../base/agent-error.ts";
import { Code } from "../base/code.ts";
import { exitStatus } from "../base/exit.ts";
import { run } from "../sys/run.ts";
import { span } from "../trace/span.ts";

const modprobe = "/sbin/modprobe";
const timeoutMs = 30_000;
const maxOutputBytes = 64 * 1024;

/**
 * Loads a kernel module with its parameters by modprobe (agent-api 3.1 step 3).
 * @throws INTERNAL with exit code and output of modprobe.
 */
export async function loadKernelModule(name: string, parameters: readonly string[]): Promise<void> {
  if (name === "" || name.startsWith("-") || name.includes("\0")) {
    throw new AgentError(Code.internal, "kernel module name is invalid");
  }
  await span("kernel module", {}, async () => {
    const env = { PATH: "/sbin:/bin:/usr/sbin:/usr/bin" };
    // What follows is no option, whatever it looks like.
    const args = ["-v", "--", name, ...parameters];
    const done = await run({ file: modprobe, args, env }, { timeoutMs, maxOutputBytes });
    const status = exitStatus(done.exit);
    if (status === 0) return;
    const output = `stdout: ${textOf(done.stdout)}, stderr: ${textOf(done.stderr)}`;
    throw new AgentError(Code.internal, `modprobe ${name} ended with status ${status}, ${output}`);
  });
}

function textOf(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("utf8").trim();
}
