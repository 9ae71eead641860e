/** Calls about the guest as a whole. */
import { sandboxId } from "../base/ids.ts";
import type { GuestDetailsResponse } from "../gen/agent.ts";
import type { AgentService } from "../gen/methods.ts";
import type { Call } from "../rpc/call.ts";
import { hasMemoryProbe, hasSeccomp, memoryBlockBytes } from "../sandbox/guest-details.ts";
import { copyFile } from "../storage/copy-file.ts";
import { endContainers } from "./end-containers.ts";
import type { Rooms } from "./rooms.ts";
import { storageFrom } from "./storage.ts";

type Calls = Pick<AgentService<Call>, "CreateSandbox" | "DestroySandbox" | "GetGuestDetails" | "CopyFile">;

/** CreateSandbox, DestroySandbox, GetGuestDetails, CopyFile (agent-api 3.1, 3.2, 3.26, 3.23). */
export function sandboxCalls(rooms: Rooms): Calls {
  const { sandbox } = rooms;
  return {
    async CreateSandbox(request, call) {
      const id = request.sandbox_id === "" ? undefined : sandboxId(request.sandbox_id);
      // A second sandbox will be refused, so its id must not stand in the first one's spans.
      if (id !== undefined && sandbox.id === undefined) rooms.onSandbox(id);
      const wanted = {
        id,
        hostname: request.hostname,
        dns: request.dns,
        storages: request.storages.map(storageFrom),
        kernelModules: request.kernel_modules,
        guestHookPath: request.guest_hook_path,
      };
      await sandbox.create(wanted, call.signal);
      return {};
    },
    async DestroySandbox() {
      await endContainers(rooms);
      rooms.oomQueue.close();
      await sandbox.destroy();
      rooms.onDestroyed();
      return {};
    },
    GetGuestDetails: (request) => guestDetails(rooms, request.mem_block_size, request.mem_hotplug_probe),
    async CopyFile(request) {
      await copyFile({
        path: request.path,
        mode: request.file_mode,
        dirMode: request.dir_mode,
        uid: request.uid >>> 0,
        gid: request.gid >>> 0,
        totalBytes: Number(request.file_size),
        offsetBytes: Number(request.offset),
        data: request.data,
      });
      return {};
    },
  };
}

async function guestDetails(rooms: Rooms, blockSize: boolean, probe: boolean): Promise<GuestDetailsResponse> {
  return {
    mem_block_size_bytes: blockSize ? await memoryBlockBytes() : 0n,
    support_mem_hotplug_probe: probe ? await hasMemoryProbe() : false,
    agent_details: {
      version: rooms.agentVersion,
      init_daemon: rooms.isInit,
      device_handlers: rooms.containerDevices.types,
      storage_handlers: rooms.sandbox.storages.driverNames,
      supports_seccomp: await hasSeccomp(),
      extra_features: [
        ...(rooms.policy.available ? ["agent-policy"] : []),
        ...((await hasSeccomp()) ? ["seccomp"] : []),
      ],
    },
  };
}
