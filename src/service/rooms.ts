import type { Log } from "../base/log.ts";
import type { OomQueue } from "../container/oom-queue.ts";
import type { PassedSource } from "../container/passed-streams.ts";
import type { Registry } from "../container/registry.ts";
import type { BlockDevices } from "../devices/block-devices.ts";
import type { ContainerDevices } from "../devices/container-devices.ts";
import type { Uevents } from "../devices/uevents.ts";
import type { Network } from "../network/network.ts";
import type { CallCounts } from "../rpc/call-counts.ts";
import type { Crun } from "../runtime/crun.ts";
import type { MemAgent } from "../sandbox/mem-agent.ts";
import type { Policy } from "../sandbox/policy.ts";
import type { Sandbox } from "../sandbox/sandbox.ts";
import type { TraceSwitch } from "../trace/trace-switch.ts";
import type { FlushReport } from "../trace/tracing-options.ts";

import type { WorkloadRelay, WorkloadWishes } from "./workload.ts";

/** What the calls work on, made by the program and handed to every group of calls. */
export type Rooms = {
  readonly sandbox: Sandbox;
  readonly network: Network;
  /** Finds the block devices that requests name. */
  readonly devices: BlockDevices;
  /** Puts devices into the documents of containers. */
  readonly containerDevices: ContainerDevices;
  /** The kernel's device events, for whoever waits for another kind of device. */
  readonly uevents: Uevents;
  readonly policy: Policy;
  readonly registry: Registry;
  readonly crun: Crun;
  readonly oomQueue: OomQueue;
  /** Undefined unless the options ask for it. */
  readonly memAgent: MemAgent | undefined;
  /** The host's own streams for processes; absent unless a port for them was asked for (agent-api 6.7). */
  readonly passedStreams: PassedSource | undefined;
  readonly log: Log;
  /** What has come of the calls so far. */
  readonly callCounts: CallCounts;
  /** Turns tracing on and off. */
  readonly tracing: TraceSwitch;
  /** What containers are told of tracing unless their annotations say otherwise. */
  readonly workload: WorkloadWishes;
  readonly workloadRelay: WorkloadRelay;
  /** What has become of the spans so far; undefined without tracing. */
  readonly spanReport: () => FlushReport | undefined;
  readonly agentVersion: string;
  /** True when the agent is the guest's first process. */
  readonly isInit: boolean;
  /** True when the machine's clock, memory and swap are the agent's to change. */
  readonly ownsMachine: boolean;
  /** The lowest `oom_score_adj` that a container can be given here. */
  readonly oomScoreFloor: number;
  /** Called once the sandbox is known, for spans that tell which one they belong to. */
  readonly onSandbox: (id: string) => void;
  /** Called once when the sandbox is destroyed; the program then ends after the answer has been sent. */
  readonly onDestroyed: () => void;
};
