import type { SpanAttributes } from "./attributes.ts";

/**
 * What spans say of the pod and the container that a call is about, from the annotations that the container runtime of
 * the node sets (containerd's CRI, CRI-O). They are request contents, so only what has the form of a Kubernetes name or
 * uid passes.
 */

/** Attributes of the pod, the same for all spans of a sandbox. */
export type PodFacts = Pick<SpanAttributes, "k8s.pod.name" | "k8s.namespace.name" | "k8s.pod.uid">;

/** Looks an annotation up by its key. */
export type Annotations = (key: string) => string | undefined;

const podName = ["io.kubernetes.cri.sandbox-name", "io.kubernetes.pod.name"];
const podNamespace = ["io.kubernetes.cri.sandbox-namespace", "io.kubernetes.pod.namespace"];
const podUid = ["io.kubernetes.cri.sandbox-uid", "io.kubernetes.pod.uid"];
const containerName = ["io.kubernetes.cri.container-name", "io.kubernetes.container.name"];

const nameForm = /^[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?$/;
const uidForm = /^[0-9a-f-]{8,64}$/;

/** The pod that a container belongs to; undefined when its annotations name none. */
export function podFacts(annotations: Annotations): PodFacts | undefined {
  const name = first(annotations, podName, nameForm);
  if (name === undefined) return undefined;
  return {
    "k8s.pod.name": name,
    "k8s.namespace.name": first(annotations, podNamespace, nameForm),
    "k8s.pod.uid": first(annotations, podUid, uidForm),
  };
}

/** The name of the container in its pod. */
export function containerNameOf(annotations: Annotations): string | undefined {
  return first(annotations, containerName, nameForm);
}

function first(annotations: Annotations, keys: readonly string[], form: RegExp): string | undefined {
  for (const key of keys) {
    const value = annotations(key);
    if (value !== undefined && form.test(value)) return value;
  }
  return undefined;
}
