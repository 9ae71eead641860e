import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { text } from "node:stream/consumers";
import { promisify } from "node:util";
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

const discard = ["sh", "-c", "cat >/dev/null"];
const run = promisify(execFile);
/** The Go client, where it could be built. */
const { KATA_BENCH_CLIENT: client = "" } = process.env;

/** Output and input of a process of `container`, in pieces of 32 KiB, beside a pipe copied by plain Node. */
export async function streamRows(runtime: Runtime, container: string, effort: Effort): Promise<Row[]> {
  const { streamBytes, rounds } = effort;
  const source = ["dd", "if=/dev/zero", `bs=${blockBytes}`, `count=${streamBytes / blockBytes}`];
  const copied: number[] = [];
  const [output, input]: [number[], number[]] = [[], []];
  const [goOutput, goInput]: [number[], number[]] = [[], []];
  for (let round = 0; round < rounds; round += 1) {
    copied.push(await pipeCopy(source));
    output.push(await runtime.readAll(container, source));
    input.push(await runtime.writeAll(container, discard, streamBytes));
    if (client === "") continue;
    goOutput.push(await byGo("output", runtime, container, source, streamBytes));
    goInput.push(await byGo("input", runtime, container, discard, streamBytes));
  }
  const beside = (name: string, figures: readonly number[]) =>
    rowBeside(name, "MB/s", median(figures), "Node pipe copy", median(copied), "≥ 300 MB/s");
  const rows = [beside("stdout", output), beside("stdin", input)];
  if (client === "") return rows;
  return [...rows, beside("stdout, read by Go", goOutput), beside("stdin, written by Go", goInput)];
}

/** The same calls by the library that the real runtime uses; answers MB/s. */
async function byGo(
  mode: "output" | "input",
  runtime: Runtime,
  container: string,
  args: readonly string[],
  bytes: number,
): Promise<number> {
  const exec = await runtime.startExec(container, args);
  const what = ["-address", runtime.socket, "-mode", mode, "-container", container, "-exec", exec];
  const { stdout } = await run(client, [...what, "-bytes", String(bytes)]);
  if (mode === "output") await runtime.wait(container, exec);
  const report = JSON.parse(stdout);
  if (report.bytes !== bytes) throw new Error(`${report.bytes} bytes of ${bytes} came through`);
  return report.megabytes_per_second;
}

async function pipeCopy(source: readonly string[]): Promise<number> {
  const command = `${source.join(" ")} 2>/dev/null | "$0" -e "$1" | cat >/dev/null`;
  const shell = spawn("sh", ["-c", command, process.execPath, copier], {
    stdio: ["ignore", "ignore", "pipe"],
  });
  const [figure] = await Promise.all([text(shell.stderr), once(shell, "exit")]);
  return Number(figure);
}
