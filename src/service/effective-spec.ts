import { AgentError } from "../base/agent-error.ts";
import { Code } from "../base/code.ts";
import type { OciNamespace, OciSpec } from "../runtime/oci.ts";

/** Namespaces of the pod that a container joins, as paths; absent where the sandbox has none. */
export type PodNamespaces = { ipc: string | undefined; uts: string | undefined; pid: string | undefined };

/**
 * Rewrites the namespaces of a spec for this guest (agent-api 3.3.4): ipc and uts are the pod's, pid the pod's or a
 * new one, network never, cgroup always a new one. Paths that come from the host mean nothing here and are dropped.
 * The host name goes: with a shared uts namespace it would rename the whole pod.
 * @throws INTERNAL when the pod's pid namespace is wanted and there is none, though containers exist.
 */
export function effectiveSpec(
  spec: OciSpec,
  pod: PodNamespaces,
  wanted: { podPid: boolean; firstContainer: boolean },
): OciSpec {
  const { hostname: _podHasItsOwn, ...rest } = spec;
  const namespaces = (spec.linux?.namespaces ?? []).flatMap((namespace) => rewritten(namespace, pod));
  return {
    ...rest,
    linux: { ...spec.linux, namespaces: [...namespaces, pidNamespace(pod, wanted), { type: "cgroup" }] },
  };
}

function rewritten(namespace: OciNamespace, pod: PodNamespaces): OciNamespace[] {
  switch (namespace.type) {
    case "ipc":
      return [joined("ipc", pod.ipc)];
    case "uts":
      return [joined("uts", pod.uts)];
    case "mount":
    case "user":
      return [{ type: namespace.type }];
    // pid and cgroup are added by us whatever was sent; all containers share the network of the guest.
    case "pid":
    case "cgroup":
    case "network":
    case "time":
      return [];
    default:
      throw new AgentError(Code.internal, "unknown namespace type");
  }
}

function joined(type: string, path: string | undefined): OciNamespace {
  return path === undefined ? { type } : { type, path };
}

function pidNamespace(
  pod: PodNamespaces,
  wanted: { podPid: boolean; firstContainer: boolean },
): OciNamespace {
  if (!wanted.podPid) return { type: "pid" };
  if (pod.pid === undefined && !wanted.firstContainer) {
    throw new AgentError(Code.internal, "the sandbox has no shared pid namespace");
  }
  return joined("pid", pod.pid);
}
