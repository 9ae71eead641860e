// The chart by a real Kubernetes control plane: helm installs it, the API server takes every field of it without a
// warning, and the controllers make of it what it is for.
import { test } from "tap";
import { chart } from "../deploy/tool.ts";
import { monitored, wishes } from "../deploy/wishes.ts";
import { until } from "../fakes/until.ts";
import { addNamespace, type Cluster, defineMonitoring, kataNode, startCluster } from "./cluster.ts";
import { everything } from "./everything.ts";
import type { Pod } from "./nodes.ts";
import { skipWithoutControlPlane } from "./programs.ts";

const release = "kata-trace";
/** Refuses what the server does not know, and takes its warnings for errors; changes nothing. */
const judge =
  "kubectl apply --server-side --force-conflicts --dry-run=server --validate=strict --warnings-as-errors --filename=-";

const kataNodes = ["kata-one", "kata-two"];
type Pods = { readonly items: readonly Pod[] };

/** Installs the chart, or brings what is installed to these values; its pods are then the new ones. */
async function install({ does }: Cluster, values: readonly string[]): Promise<void> {
  await does(`helm upgrade --install --reset-values ${release} ${chart} --namespace ${release}`, values);
  await does(`kubectl rollout status daemonset/${release} --namespace ${release} --timeout=300s`);
}

test("on a Kubernetes control plane", { skip: skipWithoutControlPlane() }, async (t) => {
  const cluster = await startCluster(t);
  const { does, get, helm, kubectl } = cluster;
  await cluster.join([
    { name: "kata-one", labels: kataNode },
    { name: "kata-two", labels: kataNode, taints: [{ key: "kept-for-others", effect: "NoSchedule" }] },
    { name: "plain" },
  ]);
  await addNamespace(cluster, release, "privileged");

  await t.test("monitoring needs the Prometheus operator", async (t) => {
    const { code, stderr } = await helm(["install", release, chart, "--namespace", release, ...monitored]);
    t.equal(code, 1);
    t.match(stderr, /ensure CRDs are installed first/);
  });
  await defineMonitoring(cluster);
  const before = await everything(cluster);
  const nodes = async () => {
    const { items } = await get<Pods>(`pods --namespace ${release}`);
    return items.map(({ spec }) => spec.nodeName).toSorted();
  };

  for (const [wish, values] of Object.entries(wishes)) {
    await t.test(`the chart is installed or upgraded for ${wish}`, async (t) => {
      await install(cluster, values);
      const made = await does(`helm get manifest ${release} --namespace ${release}`);
      t.match(
        await does(judge, [], made),
        /^daemonset.apps\/kata-trace serverside-applied \(server dry run\)$/m,
      );
      t.same(await nodes(), wish === "placing of one's own" ? ["kata-one", "plain"] : kataNodes);
    });
  }

  await t.test("helm goes back to what was before", async (t) => {
    await install(cluster, []);
    await does(`helm rollback ${release} --namespace ${release} --wait`);
    t.same(await nodes(), ["kata-one", "plain"]);
  });

  await t.test("the pods on the nodes are as the page says", async (t) => {
    await install(cluster, []);
    t.same(await nodes(), kataNodes);
    const { items } = await get<Pods>(`pods --namespace ${release}`);
    for (const { spec } of items) {
      t.match(spec, { serviceAccountName: release, securityContext: { runAsUser: 0 } });
      const sources = (spec["volumes"] as readonly object[]).map(
        (volume) => Object.keys(volume).toSorted()[0],
      );
      t.same(
        sources.toSorted(),
        ["configMap", "emptyDir", "hostPath", "hostPath", "hostPath"],
        "and no token",
      );
    }
  });

  await t.test("the pods' account has no right that every account has not", async (t) => {
    const rights = (account: string) =>
      does(`kubectl auth can-i --list --namespace ${release} --as=system:serviceaccount:${account}`);
    t.equal(await rights(`${release}:${release}`), await rights("default:default"));
    const { stdout } = await kubectl([
      "auth",
      "can-i",
      "get",
      "pods",
      `--as=system:serviceaccount:${release}:${release}`,
    ]);
    t.equal(stdout.trim(), "no");
  });

  await t.test("helm takes all of it away", async () => {
    await does(`helm uninstall ${release} --namespace ${release}`);
    let left: string[] = [];
    await until("an empty cluster", async () => {
      const now = await everything(cluster);
      left = now.filter((name) => !before.includes(name));
      return left.length === 0 && now.length === before.length;
    }).catch((error: Error) => Promise.reject(new Error(`${error.message}: ${left.join(", ")}`)));
  });
});
