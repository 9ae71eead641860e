// The manifests of deploy/kustomize by a real Kubernetes control plane, and what its admission says to what they and the
// chart make: pod security, RuntimeClass.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "tap";
import { readPage } from "../../scripts/docs/page.ts";
import { chart, deployFolder } from "../deploy/tool.ts";
import { folders, wishes } from "../deploy/wishes.ts";
import { until } from "../fakes/until.ts";
import { addNamespace, type Cluster, defineMonitoring, kataNode, startCluster } from "./cluster.ts";
import type { Pod } from "./nodes.ts";
import { skipWithoutControlPlane } from "./programs.ts";

const strict = "--validate=strict --warnings-as-errors";
const page = join(import.meta.dirname, "../../docs/kubernetes.md");

/** What the controllers say about an object, once they have said that it failed to make pods. */
async function refusalOf({ get }: Cluster, kind: string, namespace: string): Promise<string> {
  type Events = { readonly items: readonly { readonly message: string }[] };
  const fields = `--field-selector=reason=FailedCreate,involvedObject.kind=${kind}`;
  let message: string | undefined;
  await until(`a refusal in ${namespace}`, async () => {
    const { items } = await get<Events>(`events --namespace ${namespace} ${fields}`);
    message = items[0]?.message;
    return message !== undefined;
  });
  return message ?? "";
}

test("on a Kubernetes control plane", { skip: skipWithoutControlPlane() }, async (t) => {
  const cluster = await startCluster(t);
  const { does, get } = cluster;
  await cluster.join([
    { name: "kata", labels: kataNode },
    { name: "small", labels: { ...kataNode, size: "small" }, cpu: "200m" },
    { name: "plain", cpu: "8" },
  ]);
  await defineMonitoring(cluster);
  for (const folder of folders) {
    const path = join(deployFolder, "kustomize", folder);
    await t.test(`kubectl applies ${folder} without a warning, and takes it away`, async (t) => {
      // Nothing can be in a namespace that is not there, not even for a try.
      await does(`kubectl apply --filename=${join(deployFolder, "kustomize/base/namespace.yaml")}`);
      await does(`kubectl apply --dry-run=server ${strict} -k ${path}`);
      const applied = await does(`kubectl apply ${strict} -k ${path}`);
      t.match(
        applied,
        folder === "gateway"
          ? /statefulset.apps\/kata-trace-sampler created/
          : /daemonset.apps\/kata-trace created/,
      );
      for (const line of applied.matchAll(/^(daemonset|deployment|statefulset)\.apps\/\S+/gm))
        await does(`kubectl rollout status ${line[0]} --namespace kata-trace --timeout=300s`);
      await does(`kubectl delete -k ${path} --wait`);
    });
  }

  for (const level of ["baseline", "restricted"]) {
    await t.test(
      `a namespace of the level ${level} gets no forwarder that has folders of its node`,
      async (t) => {
        const namespace = `level-${level}`;
        await addNamespace(cluster, namespace, level);
        const install = ["install", "kata-trace", chart, `--namespace=${namespace}`];
        const { stderr } = await cluster.helm([...install, "--set=runtimeClass.enabled=false"]);
        t.match(stderr, `would violate PodSecurity`, "helm's user is told");
        const refused = await refusalOf(cluster, "DaemonSet", namespace);
        t.match(refused, `violates PodSecurity "${level}:latest"`);
        t.match(refused, /\(volumes "vm", "firecracker", "kata"/);
        t.match(refused, 'hostPort (container "forwarder" uses hostPort 4318)');
        await does(`helm uninstall kata-trace --namespace ${namespace}`);
      },
    );
  }

  await t.test("with nothing of the node it runs in a namespace of the level baseline", async () => {
    const values = wishes["QEMU alone, and nothing of the node"] ?? [];
    const install = `helm install kata-trace ${chart} --namespace level-baseline`;
    await does(install, [...values, "--set=runtimeClass.enabled=false"]);
    await does("kubectl rollout status daemonset/kata-trace --namespace level-baseline --timeout=300s");
  });

  await t.test("the gateway runs in a namespace of the level restricted", async () => {
    const text = await does(`kubectl kustomize ${join(deployFolder, "kustomize/gateway")}`);
    await addNamespace(cluster, "gateway", "restricted");
    await does(
      `kubectl apply ${strict} --filename=-`,
      [],
      text.replaceAll("namespace: kata-trace", "namespace: gateway"),
    );
    for (const name of ["deployment/kata-trace-gateway", "statefulset/kata-trace-sampler"])
      await does(`kubectl rollout status ${name} --namespace gateway --timeout=300s`);
  });

  await t.test(
    "the page's pod gets the RuntimeClass's overhead, and a node with Kata that has room for it",
    async (t) => {
      const { blocks } = readPage(readFileSync(page, "utf8"));
      const pod = blocks.find(({ text }) => text.includes("runtimeClassName"))?.text ?? "";
      await t.rejects(
        does(`kubectl apply ${strict} --filename=-`, [], pod),
        /RuntimeClass "kata-agent-node" not found/,
      );
      await does(
        `kubectl apply ${strict} --filename=${join(deployFolder, "kustomize/base/runtimeclass.yaml")}`,
      );
      await does(`kubectl apply ${strict} --filename=-`, [], pod);
      await does("kubectl wait --for=condition=Ready pod/traced --timeout=300s");
      const { spec } = await get<Pod>("pod traced");
      t.match(spec, { nodeName: "kata", overhead: { cpu: "250m", memory: "320Mi" }, nodeSelector: kataNode });

      const small = pod
        .replace("name: traced", "name: small")
        .replace("spec:\n", "spec:\n  nodeSelector: {size: small}\n");
      await does(`kubectl apply ${strict} --filename=-`, [], small);
      await does(
        "kubectl wait --for=jsonpath={.status.conditions[0].reason}=Unschedulable pod/small --timeout=300s",
      );
      const { status } = await get<Pod>("pod small");
      t.match(JSON.stringify(status), /1 Insufficient cpu/);
    },
  );
});
