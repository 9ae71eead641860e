import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { AgentError } from "../base/agent-error.ts";
import { guestPaths } from "../base/guest-paths.ts";
import type { Log } from "../base/log.ts";
import { version } from "../base/version.ts";
import { OomQueue } from "../container/oom-queue.ts";
import type { PassedSource } from "../container/passed-streams.ts";
import type { Registry } from "../container/registry.ts";
import { BlockDevices } from "../devices/block-devices.ts";
import { ContainerDevices } from "../devices/container-devices.ts";
import { deviceDrivers } from "../devices/device-drivers.ts";
import { Hotplug } from "../devices/hotplug.ts";
import { loadKernelModule } from "../devices/kernel-module.ts";
import { Uevents } from "../devices/uevents.ts";
import { Network } from "../network/network.ts";
import { CallCounts } from "../rpc/call-counts.ts";
import { Crun } from "../runtime/crun.ts";
import { DeviceRules } from "../runtime/device-rules.ts";
import type { Policy } from "../sandbox/policy.ts";
import { Sandbox } from "../sandbox/sandbox.ts";
import type { Rooms } from "../service/rooms.ts";
import { storageDrivers } from "../storage/storage-drivers.ts";
import { Watcher } from "../storage/watcher.ts";
import type { MountInfo } from "../sys/mount-info.ts";
import { readMounts } from "../sys/read-mounts.ts";
import type { Reaper } from "../sys/reaper.ts";
import type { TraceSwitch } from "../trace/trace-switch.ts";
import { cgroupManager } from "./cgroup-choice.ts";
import { mayRestrictDevices } from "./device-rules-choice.ts";
import { memAgentFromOptions } from "./mem-agent-from-options.ts";
import { oomScoreFloor } from "./oom-score-floor.ts";
import type { AgentOptions } from "./options/options.ts";
import { tryPipeSize } from "./pipe-size.ts";
import { ownsMachine, type Role } from "./role.ts";
import { WorkloadRelays } from "./workload-relays.ts";

/** What the rooms are made from. */
export type Wiring = {
  options: AgentOptions;
  role: Role;
  policy: Policy;
  reaper: Reaper;
  registry: Registry;
  tracing: TraceSwitch;
  log: Log;
  onDestroyed: () => void;
};

/** Makes the rooms that the calls work on, and the directory that the agent keeps for itself. */
export async function wireRooms({
  options,
  role,
  policy,
  reaper,
  registry,
  tracing,
  log,
  onDestroyed,
}: Wiring): Promise<Rooms> {
  // Apart from ours below it, the base is for all: the root of a container with users of its own must get through.
  mkdirSync(guestPaths.base, { recursive: true, mode: 0o755 });
  mkdirSync(guestPaths.agent, { recursive: true, mode: 0o700 });
  tryPipeSize(options.containerPipeBytes, log);
  const mounts = await readMounts();
  const manager = cgroupManager(mounts);
  const crun = new Crun({
    file: "crun",
    stateDir: join(guestPaths.agent, "crun"),
    runDir: guestPaths.agent,
    cgroupManager: manager,
    deviceRules: new DeviceRules(mayRestrictDevices(manager), log),
    noPivot: isInitramfs(mounts),
    timeoutMs: options.crunTimeoutMs,
    log,
    pipeBytes: options.containerPipeBytes,
    reaper,
  });
  const uevents = deviceEvents(options.hotplugTimeoutMs, log);
  const devices = new BlockDevices({ uevents, ownsMachine: ownsMachine() });
  return {
    sandbox: new Sandbox(
      log,
      storageDrivers({ devices, ownsMachine: ownsMachine(), watcher: new Watcher(log) }),
    ),
    network: new Network({ log, uevents }),
    devices,
    containerDevices: containerDevices(options, devices, uevents, log),
    uevents,
    registry,
    tracing,
    policy,
    memAgent: memAgentFromOptions(options, registry, log),
    oomQueue: new OomQueue(),
    callCounts: new CallCounts(),
    workload: { trace: options.traceWorkload, relay: options.traceRelay },
    workloadRelay: new WorkloadRelays(
      join(guestPaths.agent, "relay"),
      (relayed) => tracing.relay(relayed),
      log,
    ),
    spanReport: () => tracing.report(),
    passedStreams: await passedStreams(options.passedStreamsAddress, log),
    crun,
    log,
    agentVersion: version,
    isInit: role !== "service",
    ownsMachine: ownsMachine(),
    oomScoreFloor: oomScoreFloor(),
    onSandbox: (id) => tracing.setSandboxId(id),
    onDestroyed,
  };
}

function containerDevices(
  { cdiTimeoutMs, visibleCdiDevices }: AgentOptions,
  blocks: BlockDevices,
  uevents: Uevents,
  log: Log,
): ContainerDevices {
  const loadDriver = () => loadKernelModule("vfio-pci", []);
  return new ContainerDevices(deviceDrivers(blocks, { uevents, mayBind: ownsMachine(), loadDriver }), {
    folder: guestPaths.cdi,
    timeoutMs: cdiTimeoutMs,
    fromEnvironment: visibleCdiDevices,
    log,
  });
}

/** The kernel's device events, to be started; in a guest of ours new devices get their modules, and memory comes online. */
function deviceEvents(timeoutMs: number, log: Log): Uevents {
  const uevents = new Uevents({ log, timeoutMs });
  if (ownsMachine()) {
    const hotplug = new Hotplug({ log });
    uevents.subscribe((event) => hotplug.take(event));
  }
  return uevents;
}

/** A port that is taken is told and done without: streams are then read and written by calls. */
async function passedStreams(address: string, log: Log): Promise<PassedSource | undefined> {
  if (address === "") return undefined;
  try {
    // Loaded on demand: only one kind of host opens streams of its own.
    const { PassedConnections } = await import("./passed-connections.ts");
    return await PassedConnections.listen(address, log);
  } catch (error) {
    log.warn({ error: AgentError.from(error).message }, "streams of the host cannot be taken");
    return undefined;
  }
}

/** A root of type `rootfs` is the kernel's initramfs, which cannot be pivoted away from (agent-api 1.4 step 5). */
function isInitramfs(mounts: readonly MountInfo[]): boolean {
  return mounts.findLast((entry) => entry.mountPoint === "/")?.fsType === "rootfs";
}
