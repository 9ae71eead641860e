/** Calls about the guest's processors, memory, volumes and mounts. */
import { AgentError } from "../base/agent-error.ts";
import { Code } from "../base/code.ts";
import type { Container } from "../container/container.ts";
import { pciPathOfSlots } from "../devices/pci-path.ts";
import type { VolumeStatsResponse, VolumeUsage } from "../gen/csi.ts";
import type { AgentService } from "../gen/methods.ts";
import type { Call } from "../rpc/call.ts";
import { addSwap, reseedGuest, setGuestClock } from "../sandbox/machine.ts";
import { onlineCpus, onlineMemory, probeMemory } from "../sandbox/online-resources.ts";
import { readTerminationLog } from "../sandbox/termination-log.ts";
import { touchShareMounts } from "../storage/stale-share-mounts.ts";
import { updateEphemeralMount } from "../storage/update-ephemeral-mount.ts";
import { type VolumeFigures, volumeStats } from "../storage/volume-stats.ts";
import { applyCpusets } from "./apply-resources.ts";
import type { Rooms } from "./rooms.ts";
import { storageFrom } from "./storage.ts";

type Calls = Pick<
  AgentService<Call>,
  | "OnlineCPUMem"
  | "MemHotplugByProbe"
  | "GetVolumeStats"
  | "GetDiagnosticData"
  | "UpdateEphemeralMounts"
  | "RemoveStaleVirtiofsShareMounts"
  | "ReseedRandomDev"
  | "SetGuestDateTime"
  | "AddSwap"
  | "AddSwapPath"
>;

/** Wire numbers of `Unit`. */
const bytesUnit = 1;
const inodesUnit = 2;
const terminationPathAnnotation = "io.kubernetes.container.terminationMessagePath";

/** The calls on the guest (agent-api 3.16, 3.17, 3.24, 3.25, 3.27, 3.28, 3.30, 3.31, 3.34). */
export function guestCalls({ registry, devices, ownsMachine, log }: Rooms): Calls {
  const mustOwnMachine = () => {
    if (!ownsMachine) throw new AgentError(Code.internal, "EPERM: the machine is not this agent's to change");
  };
  return {
    async OnlineCPUMem({ nb_cpus, cpu_only }, call) {
      // Part of the ordinary sequence: in a borrowed world there is nothing to bring online.
      if (!ownsMachine) return {};
      if (nb_cpus > 0) await onlineCpus(nb_cpus, call.signal);
      if (!cpu_only) await onlineMemory();
      if (nb_cpus > 0) await applyCpusets([...registry.all()], log);
      return {};
    },
    async MemHotplugByProbe({ memHotplugProbeAddr }) {
      mustOwnMachine();
      await probeMemory(memHotplugProbeAddr);
      return {};
    },
    GetVolumeStats: ({ volume_guest_path }) => volumeStatsMessage(volume_guest_path),
    async GetDiagnosticData({ log_type, container_id }) {
      if (log_type !== "termination_log") throw new AgentError(Code.invalidArgument, "unknown log type");
      return {
        data: await readTerminationLog(terminationSource(registry.container(container_id, Code.internal))),
      };
    },
    async UpdateEphemeralMounts({ storages }) {
      for (const storage of storages) await updateEphemeralMount(storageFrom(storage));
      return {};
    },
    async RemoveStaleVirtiofsShareMounts() {
      await touchShareMounts();
      return {};
    },
    async ReseedRandomDev({ data }) {
      mustOwnMachine();
      reseedGuest(data);
      return {};
    },
    async SetGuestDateTime({ Sec, Usec }) {
      mustOwnMachine();
      setGuestClock(Sec, Usec);
      return {};
    },
    async AddSwap({ PCIPath }, call) {
      mustOwnMachine();
      const { path } = await devices.byPciPath(pciPathOfSlots(PCIPath), call.signal);
      await addSwap(path);
      return {};
    },
    async AddSwapPath({ path }) {
      mustOwnMachine();
      await addSwap(path);
      return {};
    },
  };
}

/** The file in the guest that is bound on the place where the container writes its message. @throws INTERNAL. */
function terminationSource({ spec }: Container): string {
  const destination = spec.annotations?.[terminationPathAnnotation];
  const source = spec.mounts?.find((mount) => mount.destination === destination)?.source;
  if (source === undefined) throw new AgentError(Code.internal, "container has no termination message mount");
  return source;
}

async function volumeStatsMessage(path: string): Promise<VolumeStatsResponse> {
  const { bytes, inodes } = await volumeStats(path);
  return {
    usage: [usage(bytes, bytesUnit), usage(inodes, inodesUnit)],
    volume_condition: { abnormal: false, message: "OK" },
  };
}

function usage(figures: VolumeFigures, unit: VolumeUsage["unit"]): VolumeUsage {
  return { ...figures, unit };
}
