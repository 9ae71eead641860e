/**
 * Primer. The network is read and changed by iproute2's `ip`: `-json` for reading, `-batch -` with one command per line
 * on stdin for changes. A batch is a small language with quotes, escapes and comments, so a line is built from words
 * only, and a word that the language could read as anything but itself is refused. A batch ends at the first command
 * that fails, and says which one it was; those before it have had their effect.
 */
import { AgentError } from "../base/agent-error.ts";
import { Code } from "../base/code.ts";
import { runTool, type ToolResult } from "../sys/run-tool.ts";
import { span } from "../trace/span.ts";

/** One command of a batch, made by {@link ipLine}. */
export type IpLine = string & { readonly ipLine: unique symbol };

const limits = { timeoutMs: 10_000, maxOutputBytes: 4 * 1024 * 1024 };
const plainWord = /^[!-~]+$/;
const special = /["'\\#]/;
const failedLine = /^Command failed -:(\d+)$/m;

/** Puts words together to a command. @throws INTERNAL for a word that would not stay one. */
export function ipLine(...words: readonly (string | number)[]): IpLine {
  for (const word of words) {
    const text = String(word);
    if (!plainWord.test(text) || special.test(text)) {
      throw new AgentError(Code.internal, "a word of a network command is not plain");
    }
  }
  return words.join(" ") as IpLine;
}

/** The objects that `ip -json` prints for a query, such as `address show`. @throws INTERNAL. */
export function ipQuery(...args: readonly string[]): Promise<unknown[]> {
  return span("ip query", {}, async () => {
    const done = await runTool("ip", ["-json", ...args], limits);
    if (done.status !== 0) throw complaint(done);
    const text = Buffer.from(done.stdout).toString().trim();
    // Without anything to tell, some objects print nothing at all.
    return text === "" ? [] : (JSON.parse(text) as unknown[]);
  });
}

/**
 * Runs commands in order, up to the first that fails; one whose complaint matches `ignored` counts as done.
 * @throws INTERNAL with what `ip` printed.
 */
export function ipBatch(lines: readonly IpLine[], ignored?: RegExp): Promise<void> {
  return span("ip batch", { "kata.count": lines.length }, async () => {
    for (let next = 0; next < lines.length; ) {
      const done = await runTool(
        "ip",
        ["-batch", "-"],
        limits,
        Buffer.from(`${lines.slice(next).join("\n")}\n`),
      );
      if (done.status === 0) return;
      const failed = failedLine.exec(done.stderr);
      if (failed === null || ignored?.test(done.stderr) !== true) throw complaint(done);
      next += Number(failed[1]);
    }
  });
}

function complaint({ status, stderr }: ToolResult): AgentError {
  const text = stderr.replace(failedLine, "").trim().replaceAll("\n", ", ");
  return new AgentError(Code.internal, `ip ended with status ${status}: ${text}`);
}
