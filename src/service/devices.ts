import type { ContainerId } from "../base/ids.ts";
import type { Device } from "../devices/device.ts";
import type { CreateContainerRequest, Device as DeviceMessage } from "../gen/agent.ts";
import type { OciSpec } from "../runtime/oci.ts";
import { ociDeviceRule } from "./oci-device.ts";
import type { Rooms } from "./rooms.ts";

/**
 * The document of a container with its devices in it (agent-api 3.3.2 steps 3 and 4). What is kept for it is undone by
 * `containerDevices.forget`. @throws INTERNAL; the reason of `signal`.
 */
export function withDevices(
  { containerDevices }: Rooms,
  id: ContainerId,
  request: CreateContainerRequest,
  spec: OciSpec,
  signal: AbortSignal,
): Promise<OciSpec> {
  const sent = request.OCI?.Linux?.Resources?.Devices ?? [];
  return containerDevices.prepare(id, spec, request.devices.map(deviceFrom), sent.map(ociDeviceRule), signal);
}

function deviceFrom({ id, type, vm_path, container_path, options }: DeviceMessage): Device {
  return { id, type, vmPath: vm_path, containerPath: container_path, options };
}
