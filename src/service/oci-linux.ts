import type { Linux, LinuxIDMapping } from "../gen/oci.ts";
import type { OciIdMapping, OciLinux } from "../runtime/oci.ts";
import { ociDevice } from "./oci-device.ts";
import { ociResources } from "./oci-resources.ts";
import { ociSeccomp } from "./oci-seccomp.ts";
import { list, present, text } from "./present.ts";

/** The Linux section as the OCI document has it (agent-api 3.3.3). `IntelRdt` is ignored, as in the reference. */
export function ociLinux(linux: Linux): OciLinux {
  return present<OciLinux>({
    uidMappings: idMappings(linux.UIDMappings),
    gidMappings: idMappings(linux.GIDMappings),
    sysctl: linux.Sysctl.size === 0 ? undefined : Object.fromEntries(linux.Sysctl),
    resources: linux.Resources && ociResources(linux.Resources),
    cgroupsPath: text(linux.CgroupsPath),
    namespaces: linux.Namespaces.map(({ Type, Path }) => present({ type: Type, path: text(Path) })),
    devices: list(linux.Devices.map(ociDevice)),
    seccomp: linux.Seccomp && ociSeccomp(linux.Seccomp),
    rootfsPropagation: text(linux.RootfsPropagation),
    maskedPaths: list(linux.MaskedPaths),
    readonlyPaths: list(linux.ReadonlyPaths),
    mountLabel: text(linux.MountLabel),
  });
}

function idMappings(mappings: LinuxIDMapping[]): OciIdMapping[] | undefined {
  return list(
    mappings.map(({ HostID, ContainerID, Size }) => ({
      containerID: ContainerID,
      hostID: HostID,
      size: Size,
    })),
  );
}
