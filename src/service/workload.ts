/** What the processes of containers are told of tracing, when the options or a container's annotations ask for it. */
import type { ContainerId } from "../base/ids.ts";
import type { OciMount, OciSpec } from "../runtime/oci.ts";
import { traceEnvironment } from "../trace/span.ts";
import { withTraceEnvironment } from "../trace/trace-environment.ts";
import { traceWord } from "../trace/trace-words.ts";

/** What there is to ask for. */
export type WorkloadWishes = {
  /** The environment of the span that starts a process. */
  readonly trace: boolean;
  /** A socket for spans of its own. */
  readonly relay: boolean;
};

/** Takes spans of containers, each by a socket of its own. */
export type WorkloadRelay = {
  /** Opens the socket of a container and gives its path. @throws system errors. */
  open(id: ContainerId): Promise<string>;
  /** Safe to repeat, and for containers without one. */
  close(id: ContainerId): Promise<void>;
  /** What has come of the requests so far, by result. */
  counts(): Readonly<Record<string, number>>;
};

/** Where a container finds its socket: in its own /dev, so that nothing is left in an image. */
const relaySocket = "/dev/otlp.sock";

const annotation = "io.katacontainers.config.agent.trace_";

/** The options as the annotations of a container change them. */
export function workloadWishes(
  options: WorkloadWishes,
  annotations: Readonly<Record<string, string>> = {},
): WorkloadWishes {
  const asked = (name: string, fallback: boolean) => {
    const word = traceWord(annotations[`${annotation}${name}`]);
    return word === undefined ? fallback : word !== "off";
  };
  return { trace: asked("workload", options.trace), relay: asked("relay", options.relay) };
}

/** The environment of a process, with the current span if that is wished for; what is set already stays. */
export function workloadEnvironment(
  env: readonly string[] | undefined,
  wishes: WorkloadWishes,
): readonly string[] {
  return wishes.trace ? withTraceEnvironment(env ?? [], traceEnvironment()) : (env ?? []);
}

/** A container's document with what is wished for. `openRelay` gives the path of the container's socket. */
export async function withWorkloadTrace(
  spec: OciSpec,
  wishes: WorkloadWishes,
  openRelay: () => Promise<string>,
): Promise<OciSpec> {
  const traced: OciSpec = { ...spec };
  const { process: init } = spec;
  if (init !== undefined) traced.process = { ...init, env: [...workloadEnvironment(init.env, wishes)] };
  if (!wishes.relay) return traced;
  const socket: OciMount = {
    destination: relaySocket,
    type: "bind",
    source: await openRelay(),
    options: ["bind", "rw", "nosuid", "nodev", "noexec"],
  };
  return { ...traced, mounts: [...(spec.mounts ?? []), socket] };
}
