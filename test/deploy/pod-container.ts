import type { Way } from "./container.ts";
import { runTool } from "./tool.ts";

/** The part of a pod's specification that says how a container of it is run, as the chart makes it and a cluster keeps it. */
export type PodSpec = {
  readonly containers: readonly PodContainer[];
  readonly initContainers?: readonly PodContainer[];
  readonly securityContext?: SecurityContext;
  readonly volumes?: readonly Volume[];
};

/** A container of a pod. */
export type PodContainer = {
  readonly name: string;
  readonly args?: readonly string[];
  readonly securityContext?: SecurityContext;
  readonly volumeMounts?: readonly {
    readonly name: string;
    readonly mountPath: string;
    readonly readOnly?: boolean;
  }[];
  readonly ports?: readonly { readonly name: string; readonly containerPort: number }[];
  readonly readinessProbe?: Probe;
  readonly livenessProbe?: Probe;
  readonly startupProbe?: Probe;
};

type Probe = { readonly httpGet?: { readonly path: string; readonly port: string } };
type SecurityContext = {
  readonly runAsUser?: number;
  readonly runAsGroup?: number;
  readonly allowPrivilegeEscalation?: boolean;
  readonly readOnlyRootFilesystem?: boolean;
  readonly capabilities?: { readonly drop?: readonly string[]; readonly add?: readonly string[] };
  readonly seccompProfile?: { readonly type: string };
};
type Volume = { readonly name: string; readonly hostPath?: { readonly path: string } };

/** What is understood here; a setting beyond these would be passed over, so it is refused. */
const understood = new Set([
  "runAsUser",
  "runAsGroup",
  "allowPrivilegeEscalation",
  "readOnlyRootFilesystem",
  "capabilities",
  "seccompProfile",
]);

/**
 * How a kubelet has containerd run a container of a pod. `place` is the machine's folder for a path of the node, or for
 * the name of a volume that is not of the node.
 * @throws Error at what a kubelet would do and this does not.
 */
export async function wayOf(
  pod: PodSpec,
  container: PodContainer,
  place: (path: string) => string,
): Promise<Way> {
  const context = { ...pod.securityContext, ...container.securityContext };
  const unknown = Object.keys(context).filter((key) => !understood.has(key));
  if (unknown.length > 0) throw new Error(`not understood: ${unknown.join(", ")}`);
  const capabilities = capabilitiesOf(context);
  return {
    args: container.args ?? [],
    user: { uid: context.runAsUser ?? 0, gid: context.runAsGroup ?? 0 },
    capabilities,
    isReadOnly: context.readOnlyRootFilesystem === true,
    hasNoNewPrivileges: context.allowPrivilegeEscalation === false,
    seccomp: await seccompOf(context, capabilities),
    mounts: (container.volumeMounts ?? []).map(({ name, mountPath, readOnly = false }) => {
      const path = pod.volumes?.find((volume) => volume.name === name)?.hostPath?.path;
      return { at: mountPath, source: place(path ?? name), isReadOnly: readOnly };
    }),
  };
}

/** What a container keeps that drops all; what others keep is the runtime's to say. */
function capabilitiesOf({ capabilities }: SecurityContext): string[] {
  if (!capabilities?.drop?.includes("ALL")) throw new Error("only containers that drop all capabilities");
  return (capabilities.add ?? []).map((name) => `CAP_${name}`);
}

/** containerd's own profile, or none. */
async function seccompOf(
  { seccompProfile }: SecurityContext,
  capabilities: readonly string[],
): Promise<object | undefined> {
  const type = seccompProfile?.type ?? "Unconfined";
  if (type === "Unconfined") return undefined;
  if (type !== "RuntimeDefault") throw new Error(`no seccomp profile of the type ${type}`);
  const { ok, stdout, output } = await runTool("runtime-default", capabilities);
  if (!ok) throw new Error(output);
  return JSON.parse(stdout) as object;
}

/** The port and path that a probe of the container asks; undefined without such a probe. */
export function probed(
  container: PodContainer,
  probe: "startupProbe" | "livenessProbe" | "readinessProbe",
): { readonly port: number; readonly path: string } | undefined {
  const asked = container[probe]?.httpGet;
  const port = container.ports?.find(({ name }) => name === asked?.port)?.containerPort;
  return asked && port !== undefined ? { port, path: asked.path } : undefined;
}
