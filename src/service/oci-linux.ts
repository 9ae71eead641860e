import type { Linux, LinuxIDMapping, LinuxSeccomp } from "../gen/oci.ts";
import type { OciIdMapping, OciLinux, OciSeccomp } from "../runtime/oci.ts";
import { ociResources } from "./oci-resources.ts";
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
    devices: list(
      linux.Devices.map((device) =>
        present<NonNullable<OciLinux["devices"]>[number]>({
          path: device.Path,
          type: device.Type,
          major: device.Major,
          minor: device.Minor,
          fileMode: device.FileMode === 0 ? undefined : device.FileMode,
          uid: device.UID,
          gid: device.GID,
        }),
      ),
    ),
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

/** Without an errno of its own a refused call fails with EPERM, which is also crun's reading of an absent one. */
function ociSeccomp(seccomp: LinuxSeccomp): OciSeccomp {
  return present<OciSeccomp>({
    defaultAction: seccomp.DefaultAction,
    architectures: list(seccomp.Architectures),
    flags: list(seccomp.Flags),
    syscalls: seccomp.Syscalls.map((call) =>
      present<NonNullable<OciSeccomp["syscalls"]>[number]>({
        names: call.Names,
        action: call.Action,
        errnoRet: call.errnoret,
        args: list(
          call.Args.map(({ Index, Value, ValueTwo, Op }) => ({
            index: Number(Index),
            value: Value,
            valueTwo: ValueTwo,
            op: Op,
          })),
        ),
      }),
    ),
  });
}
