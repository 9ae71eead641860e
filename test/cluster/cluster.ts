import { readdirSync } from "node:fs";
import { join } from "node:path";
import type { Test } from "tap";
import { temporaryFolder } from "../forwarder/running.ts";
import { Api } from "./api.ts";
import { startControlPlane } from "./control-plane.ts";
import { joinNodes, type NodeWish, type Run } from "./nodes.ts";
import { type Ended, operatorDefinitions, runClient } from "./programs.ts";

/** A cluster: a control plane, nodes, and the programs that people speak to it with. */
export type Cluster = {
  readonly api: Api;
  /** How it ended, whatever the end. */
  readonly kubectl: (args: readonly string[], input?: string) => Promise<Ended>;
  readonly helm: (args: readonly string[]) => Promise<Ended>;
  /** What kubectl or helm prints. @throws Error with its words when it fails, and when it warns. */
  readonly does: (command: string, more?: readonly string[], input?: string) => Promise<string>;
  /** An object or a list as it is stored. @throws Error with kubectl's words. */
  readonly get: <T>(what: string) => Promise<T>;
  /** Nodes that stay until the end of the test. */
  readonly join: (nodes: readonly NodeWish[], run?: Run) => Promise<void>;
};

/** The label of nodes that the chart's pods are for, as kata-deploy sets it. */
export const kataNode = { "katacontainers.io/kata-runtime": "true" };

/** A cluster without nodes that ends with the test. */
export async function startCluster(t: Test): Promise<Cluster> {
  const controlPlane = await startControlPlane(join(temporaryFolder(t), "cluster"));
  t.teardown(() => controlPlane.close());
  const api = new Api(controlPlane.address);
  const run = (name: "helm" | "kubectl") => (args: readonly string[], input?: string) =>
    runClient(name, controlPlane.kubeconfig, args, input);
  const clients = { kubectl: run("kubectl"), helm: run("helm") };
  const does: Cluster["does"] = async (command, more = [], input) => {
    const [name = "", ...args] = command.split(" ");
    const { code, stdout, stderr } = await clients[name as "helm" | "kubectl"]([...args, ...more], input);
    if (code !== 0 || stderr !== "") throw new Error(`${command}: ${code} ${stderr}`);
    return stdout;
  };
  return {
    ...{ api, ...clients, does },
    get: async <T>(what: string) => JSON.parse(await does(`kubectl get --output=json ${what}`)) as T,
    join: async (nodes, how) => {
      const joined = await joinNodes(api, nodes, how);
      t.teardown(() => joined.close());
    },
  };
}

/** Has the cluster know what the Prometheus operator knows. */
export async function defineMonitoring({ does }: Cluster): Promise<void> {
  for (const file of readdirSync(operatorDefinitions))
    await does("kubectl create --filename", [join(operatorDefinitions, file)]);
  await does("kubectl wait --for=condition=Established crd --all");
}

/** A new namespace that enforces a level of pod security. */
export async function addNamespace({ does }: Cluster, name: string, level: string): Promise<void> {
  await does(`kubectl create namespace ${name}`);
  await does(`kubectl label namespace ${name} pod-security.kubernetes.io/enforce=${level}`);
}
