import { deadline } from "../base/deadline.ts";
import { mountAppears, shareMount } from "../runtime/shared-mount.ts";
import { span } from "../trace/span.ts";
import type { Container } from "./container.ts";

/** A mount of one container that another one is to see; containers are named as Kubernetes names them. */
export type SharedMount = { sourceName: string; sourcePath: string; path: string };

/** How long a container is waited for until it has mounted what it shares (agent-api 3.3.9). */
const appearsMs = 10_000;
/** The annotations in which containerd and CRI-O tell the name of a container. */
const nameAnnotations = ["io.kubernetes.cri.container-name", "io.kubernetes.cri-o.ContainerName"];

/**
 * Shows mounts of other containers to a new one before its program runs (agent-api 3.3.9). One of a container that does
 * not exist, or that does not appear in time, is skipped.
 * @returns the paths that were skipped for the time.
 * @throws INTERNAL when a mount cannot be shared; the reason of `signal`.
 */
export async function shareMounts(
  target: Container,
  mounts: readonly SharedMount[],
  containers: Iterable<Container>,
  signal: AbortSignal,
): Promise<string[]> {
  const known = [...containers];
  const late: string[] = [];
  for (const mount of mounts) {
    const source = known.find(
      (container) => container !== target && namesOf(container).includes(mount.sourceName),
    );
    if (source === undefined) continue;
    if (!(await shared(source, target, mount, signal))) late.push(mount.sourcePath);
  }
  return late;
}

function shared(
  source: Container,
  target: Container,
  mount: SharedMount,
  signal: AbortSignal,
): Promise<boolean> {
  return span("shared mount", { "container.id": source.id }, async (live) => {
    const limit = deadline(appearsMs, signal);
    try {
      await mountAppears(source.init, mount.sourcePath, limit.signal);
    } catch (error) {
      signal.throwIfAborted();
      if (!limit.signal.aborted) throw error;
      live.set({ "kata.timed_out": true, "kata.timeout_ms": appearsMs });
      return false;
    } finally {
      limit.done();
    }
    const { sourcePath: path, path: destination } = mount;
    await shareMount({ source: source.init, path, target: target.init, destination });
    return true;
  });
}

function namesOf({ spec }: Container): string[] {
  return nameAnnotations.flatMap((key) => spec.annotations?.[key] ?? []);
}
