import type { Api, Stored } from "./api.ts";

/**
 * Nodes as the control plane sees them: objects with a capacity, and somebody who says that their pods run and lets go of
 * those that shall end, as a kubelet does. What happens in a pod is for `run` to do.
 */

/** A pod as the API server has stored it: what it was given, with all that the server and admission have set. */
export type Pod = Stored & {
  readonly metadata: { readonly namespace: string; readonly uid: string };
  readonly spec: PodSpec;
};

/** The part of a pod's specification that a kubelet goes by here. */
export type PodSpec = {
  readonly nodeName?: string;
  readonly containers: readonly { readonly name: string; readonly image: string }[];
  readonly initContainers?: readonly { readonly name: string; readonly image: string }[];
  readonly [key: string]: unknown;
};

/** A node that joins. */
export type NodeWish = {
  readonly name: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly taints?: readonly { readonly key: string; readonly effect: string }[];
  readonly cpu?: string;
  /** Where its kubelet takes the API server's connections; without, logs and ports of its pods are out of reach. */
  readonly port?: number;
};

/** What runs in place of a pod, until it is closed. */
export type Running = { close(): Promise<void> };
/** Starts what runs in place of a pod; it is ready when this resolves. */
export type Run = (pod: Pod) => Promise<Running>;

/** What the API server says when there is no such pod to delete: not found; another one of that name. */
const gone = [404, 409];
const nothing: Running = { close: async () => {} };

/** Joins nodes to the cluster. Ends the watch, and what runs, when it is closed. */
export async function joinNodes(
  api: Api,
  nodes: readonly NodeWish[],
  run: Run = async () => nothing,
): Promise<Running> {
  const [ended, pods] = [new AbortController(), new Map<string, Promise<Running>>()];
  for (const node of nodes) await api.send("POST", "/api/v1/nodes", nodeObject(node));
  const looks: Promise<void>[] = [];
  const watching = watchPods();
  return {
    close: async () => {
      ended.abort();
      await watching;
      await Promise.all(looks);
      for (const each of pods.values()) await (await each).close();
    },
  };

  async function watchPods(): Promise<void> {
    while (!ended.signal.aborted) {
      for await (const { type, object } of api.watch<Pod>("/api/v1/pods", ended.signal))
        if (type === "ADDED" || type === "MODIFIED") looks.push(look(object));
    }
  }

  async function look(pod: Pod): Promise<void> {
    const { uid, deletionTimestamp } = pod.metadata;
    if (pod.spec.nodeName === undefined) return;
    if (deletionTimestamp !== undefined) await end(pod);
    else if (!pods.has(uid)) {
      const running = run(pod);
      pods.set(uid, running);
      await running;
      await api.send("PATCH", `${pathOf(pod)}/status`, { status: readyStatus(pod) }, [404]);
    }
  }

  async function end(pod: Pod): Promise<void> {
    const running = pods.get(pod.metadata.uid);
    pods.delete(pod.metadata.uid);
    if (running !== undefined) await (await running).close();
    const { uid } = pod.metadata;
    const now = { kind: "DeleteOptions", apiVersion: "v1", gracePeriodSeconds: 0, preconditions: { uid } };
    await api.send("DELETE", pathOf(pod), now, gone);
  }
}

function pathOf({ metadata }: Pod): string {
  return `/api/v1/namespaces/${metadata.namespace}/pods/${metadata.name}`;
}

function nodeObject({ name, labels, taints, cpu = "2", port }: NodeWish): object {
  const room = { cpu, memory: "4Gi", pods: "20", "ephemeral-storage": "10Gi" };
  return {
    ...{ apiVersion: "v1", kind: "Node" },
    metadata: { name, labels: { "kubernetes.io/hostname": name, ...labels } },
    spec: { taints },
    status: {
      ...{ capacity: room, allocatable: room },
      conditions: [condition("Ready")],
      addresses: [{ type: "InternalIP", address: "127.0.0.1" }],
      ...(port !== undefined && { daemonEndpoints: { kubeletEndpoint: { Port: port } } }),
    },
  };
}

function condition(type: string): object {
  const now = new Date().toISOString().replace(/\.\d+/, "");
  return { type, status: "True", lastTransitionTime: now, lastHeartbeatTime: now };
}

function readyStatus({ spec }: Pod): object {
  const startedAt = new Date().toISOString().replace(/\.\d+/, "");
  const container = ({ name, image }: { readonly name: string; readonly image: string }) => ({
    ...{ name, image, imageID: "", ready: true, restartCount: 0, started: true },
    state: { running: { startedAt } },
  });
  const types = ["Initialized", "Ready", "ContainersReady", "PodScheduled"];
  return {
    phase: "Running",
    conditions: types.map((type) => {
      const { lastHeartbeatTime: _none, ...rest } = condition(type) as { lastHeartbeatTime: string };
      return rest;
    }),
    podIP: "127.0.0.1",
    podIPs: [{ ip: "127.0.0.1" }],
    containerStatuses: spec.containers.map(container),
  };
}
