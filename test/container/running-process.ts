import type { ExecId } from "../../src/base/ids.ts";
import { Process } from "../../src/container/process.ts";
import { openPipes } from "../../src/runtime/open-pipes.ts";
import { spawn } from "../../src/sys/spawn.ts";

/** A process of a container without the container: `sh` on real pipes. */
export async function runningProcess(script: string): Promise<Process> {
  const streams = openPipes(0);
  const env = { PATH: "/usr/bin:/bin" };
  const child = spawn({ file: "sh", args: ["-c", script], env, stdio: streams.childStdio });
  streams.closeChildSide();
  return new Process("exec" as ExecId, { child, io: await streams.connect(1000) });
}
