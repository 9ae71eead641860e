/** Calls about single processes: exec, signals, exits and streams. */
import { AgentError } from "../base/agent-error.ts";
import { giveBack } from "../base/blocks.ts";
import { Code } from "../base/code.ts";
import { exitStatus } from "../base/exit.ts";
import { execId } from "../base/ids.ts";
import type { PassedStreams } from "../container/passed-streams.ts";
import type { Process } from "../container/process.ts";
import type { Registry } from "../container/registry.ts";
import { signalProcess } from "../container/signal.ts";
import type { ExecProcessRequest, ReadStreamRequest, ReadStreamResponse } from "../gen/agent.ts";
import type { AgentService } from "../gen/methods.ts";
import type { Call } from "../rpc/call.ts";
import { span } from "../trace/span.ts";
import { ociProcess } from "./oci-process.ts";
import type { Rooms } from "./rooms.ts";
import { withPassedStreams } from "./with-passed-streams.ts";
import { workloadEnvironment, workloadWishes } from "./workload.ts";

type Calls = Pick<
  AgentService<Call>,
  | "ExecProcess"
  | "SignalProcess"
  | "WaitProcess"
  | "ReadStdout"
  | "ReadStderr"
  | "WriteStdin"
  | "CloseStdin"
  | "TtyWinResize"
>;

const sigkill = 9;
const maxSignal = 64;
/** A reply has to stay under the frame limit of 4 MiB whatever was asked for (agent-api 3.10). */
const maxReadBytes = 1024 * 1024;
const maxWindowCells = 0xffff;

/** The calls on processes (agent-api 3.6 to 3.12). */
export function processCalls(rooms: Rooms): Calls {
  const { registry } = rooms;
  return {
    async ExecProcess(request, call) {
      await withPassedStreams(rooms.passedStreams, request, (passed) => exec(rooms, request, call, passed));
      return {};
    },
    async SignalProcess({ container_id, exec_id, signal }) {
      if (signal > maxSignal) throw new AgentError(Code.internal, "EINVAL: no such signal");
      if (exec_id === "" && signal === sigkill) {
        registry.container(container_id, Code.internal).kill();
        return {};
      }
      const process = registry.process(container_id, exec_id);
      await signalProcess(registry.container(container_id, Code.invalidArgument), process, signal);
      return {};
    },
    async WaitProcess({ container_id, exec_id }, call) {
      return { status: await waited(registry.waitable(container_id, exec_id), call) };
    },
    ReadStdout: (request, call) => read(registry, "stdout", request, call),
    ReadStderr: (request, call) => read(registry, "stderr", request, call),
    async WriteStdin({ container_id, exec_id, data }, call) {
      const process = registry.container(container_id, Code.internal).process(exec_id);
      if (process === undefined) throw new AgentError(Code.internal, "Process not found: invalid exec id");
      try {
        if (data.length === 0) await process.closeStdin();
        else await process.write(data, () => call.signal);
        return { len: data.length };
      } finally {
        giveBack(data);
      }
    },
    async CloseStdin({ container_id, exec_id }) {
      await registry.process(container_id, exec_id).closeStdin();
      return {};
    },
    async TtyWinResize({ container_id, exec_id, row, column }) {
      if (row > maxWindowCells || column > maxWindowCells) {
        throw new AgentError(Code.internal, "EINVAL: window size");
      }
      registry.process(container_id, exec_id).resize(row, column);
      return {};
    },
  };
}

async function exec(
  { registry, oomScoreFloor, containerDevices, workload }: Rooms,
  { container_id, exec_id, process }: ExecProcessRequest,
  call: Call,
  passed: PassedStreams | undefined,
): Promise<void> {
  const container = registry.container(container_id, Code.internal);
  const id = execId(exec_id);
  if (process === undefined) throw new AgentError(Code.internal, "no process in the request");
  const wanted = ociProcess(process, oomScoreFloor);
  const wishes = workloadWishes(workload, container.spec.annotations);
  const env = workloadEnvironment(containerDevices.environment(container.id, wanted.env ?? []), wishes);
  await container.exec(id, { ...wanted, env: [...env] }, call.signal, passed);
}

async function read(
  registry: Registry,
  stream: "stdout" | "stderr",
  request: ReadStreamRequest,
  call: Call,
): Promise<ReadStreamResponse> {
  const process = registry.readable(request.container_id, request.exec_id);
  return { data: await process.read(stream, Math.min(request.len, maxReadBytes), () => call.signal) };
}

function waited(process: Process, call: Call): Promise<number> {
  return span("wait", { "process.pid": process.pid }, async (live) => {
    const exit = await process.wait(call.signal);
    live.set(
      exit.how === "exited" ? { "process.exit.code": exit.code } : { "kata.process.signal": exit.signal },
    );
    return exitStatus(exit);
  });
}
