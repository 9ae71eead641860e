import type { ContainerId } from "../base/ids.ts";
import type { OciSpec } from "./oci.ts";

/** What a hook reads on its stdin. Source: opencontainers/runtime-spec 1.1, `runtime.md`, "State". */
export function hookState(
  id: ContainerId,
  spec: OciSpec,
  status: "created" | "running" | "stopped",
  pid: number,
  bundle: string,
): object {
  return { ociVersion: spec.ociVersion, id, status, pid, bundle, annotations: spec.annotations ?? {} };
}
