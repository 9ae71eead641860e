import { spawn } from "node:child_process";
import { once } from "node:events";
import { text } from "node:stream/consumers";
import type { Runtime } from "./client.ts";
import { type Row, rowBeside } from "./row.ts";
import { median } from "./samples.ts";
import type { Effort } from "./shape.ts";

const blockBytes = 64 * 1024;
/** Copies its input to its output and tells how fast (MB/s). */
const copier = `
  let bytes = 0, start;
  process.stdin.on("data", (chunk) => { start ??= performance.now(); bytes += chunk.length; });
  process.stdin.on("end", () => process.stderr.write(String(bytes / 1000 / (performance.now() - start))));
  process.stdin.pipe(process.stdout);
`;

/** Output and input of a process of `container`, in pieces of 32 KiB, beside a pipe copied by plain Node. */
export async function streamRows(runtime: Runtime, container: string, effort: Effort): Promise<Row[]> {
  const { streamBytes, rounds } = effort;
  const source = ["dd", "if=/dev/zero", `bs=${blockBytes}`, `count=${streamBytes / blockBytes}`];
  const [copied, output, input]: [number[], number[], number[]] = [[], [], []];
  for (let round = 0; round < rounds; round += 1) {
    copied.push(await pipeCopy(source));
    output.push(await runtime.readAll(container, source));
    input.push(await runtime.writeAll(container, ["sh", "-c", "cat >/dev/null"], streamBytes));
  }
  const [baseline, beside] = [median(copied), "Node pipe copy"];
  return [
    rowBeside("stdout", "MB/s", median(output), beside, baseline, "≥ 300 MB/s"),
    rowBeside("stdin", "MB/s", median(input), beside, baseline, "≥ 300 MB/s"),
  ];
}

async function pipeCopy(source: readonly string[]): Promise<number> {
  const command = `${source.join(" ")} 2>/dev/null | "$0" -e "$1" | cat >/dev/null`;
  const shell = spawn("sh", ["-c", command, process.execPath, copier], {
    stdio: ["ignore", "ignore", "pipe"],
  });
  const [figure] = await Promise.all([text(shell.stderr), once(shell, "exit")]);
  return Number(figure);
}
