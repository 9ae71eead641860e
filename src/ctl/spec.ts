import type { Input } from "../gen/message-type.ts";
import type { Process, Spec } from "../gen/oci.ts";
import {
  defaultCapabilities,
  defaultMounts,
  defaultPath,
  maskedPaths,
  readonlyPaths,
  type SpecMount,
} from "./spec-defaults.ts";

/** What differs between one container and the next. */
export type SpecRequest = {
  readonly containerId: string;
  readonly sandboxId: string;
  /** A pause container makes the sandbox, an app container joins it. */
  readonly role: "sandbox" | "container";
  /** Path of the root file system in the guest. */
  readonly rootPath: string;
  readonly args: readonly string[];
  /** `KEY=value`, after the default PATH. */
  readonly env?: readonly string[];
  readonly cwd?: string;
  readonly terminal?: boolean;
  readonly user?: { readonly uid: number; readonly gid: number };
  readonly hostname?: string;
  readonly name?: string;
  readonly readonlyRoot?: boolean;
  readonly mounts?: readonly SpecMount[];
  /** The agent is not root of the machine: see {@link defaultMounts}; and it may not protect anybody from the OOM killer. */
  readonly rootless?: boolean;
  /** No sandbox has set up shared memory: the container gets its own. */
  readonly ownShm?: boolean;
};

/** containerd's limit of open files. */
const openFiles = 1024n;
/** The kubelet's value for the pause container: it dies last. */
const pauseOomScore = -998n;

/** The annotations by which the Kata agent and its hooks tell what a container is (CRI and the Go shim's own). */
function annotations(request: SpecRequest): Map<string, string> {
  const name = request.name ?? request.containerId;
  const own = request.role === "sandbox" ? "pod_sandbox" : "pod_container";
  const found = new Map([
    ["io.kubernetes.cri.container-type", request.role as string],
    ["io.kubernetes.cri.sandbox-id", request.sandboxId],
    ["io.katacontainers.pkg.oci.container_type", own],
  ]);
  if (request.role === "container") found.set("io.kubernetes.cri.container-name", name);
  return found;
}

/** The process of a container, or one that joins it by ExecProcess. */
export function buildProcess(
  request: Pick<SpecRequest, "args" | "env" | "cwd" | "terminal" | "user">,
): Input<Process> {
  const capabilities = [...defaultCapabilities];
  const terminal = request.terminal ?? false;
  return {
    Terminal: terminal,
    User: { UID: request.user?.uid ?? 0, GID: request.user?.gid ?? 0, AdditionalGids: [], Username: "" },
    Args: [...request.args],
    Env: [defaultPath, ...(terminal ? ["TERM=xterm"] : []), ...(request.env ?? [])],
    Cwd: request.cwd ?? "/",
    Capabilities: {
      Bounding: capabilities,
      Effective: capabilities,
      Permitted: capabilities,
      Inheritable: [],
      Ambient: [],
    },
    Rlimits: [{ Type: "RLIMIT_NOFILE", Hard: openFiles, Soft: openFiles }],
    NoNewPrivileges: false,
    OOMScoreAdj: 0n,
  };
}

/**
 * The OCI document of a container in its protobuf form, as containerd would write it and the Go shim would send it:
 * without hooks, seccomp and host resources; without cgroup, network and pid namespaces; the paths of the others empty
 * (image-and-runtime 4.3).
 */
export function buildSpec(request: SpecRequest): Input<Spec> {
  const pause = request.role === "sandbox";
  const process = buildProcess(request);
  return {
    Version: "1.1.0",
    Process: {
      ...process,
      OOMScoreAdj: pause && !request.rootless ? pauseOomScore : 0n,
      NoNewPrivileges: pause,
    },
    Root: { Path: request.rootPath, Readonly: request.readonlyRoot ?? false },
    Hostname: request.hostname ?? "",
    Mounts: [...defaultMounts(request.rootless ?? false, request.ownShm ?? false), ...(request.mounts ?? [])],
    Annotations: annotations(request),
    Linux: {
      Resources: {},
      CgroupsPath: `/k8s.io/${request.containerId}`,
      Namespaces: ["mount", "ipc", "uts"].map((Type) => ({ Type, Path: "" })),
      MaskedPaths: [...maskedPaths],
      ReadonlyPaths: [...readonlyPaths],
    },
  };
}
