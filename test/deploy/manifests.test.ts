// The chart and the manifests by other people's judgement: helm, kustomize, and the schemas of Kubernetes and of the
// Prometheus operator.
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Test, test } from "tap";
import { readConfigFile } from "../../src/forwarder/config-file.ts";
import { runForwarder, temporaryFolder } from "../forwarder/running.ts";
import { faultsOf, fromChart, fromKustomize, kubeVersion, type Manifest, manifestsOf } from "./manifests.ts";
import { chart, runTool, skipWithoutTools } from "./tool.ts";
import { folders, monitored, wishes } from "./wishes.ts";

const judges = ["kubeconform", "schemas", "operator-schemas"];
const noHelm = skipWithoutTools("chart-judge");
const noKustomize = skipWithoutTools("kustomize");
const noBoth = skipWithoutTools("chart-judge", "kustomize");

test("the chart is as helm wants charts", { skip: noHelm }, async (t) => {
  const { ok, output } = await runTool("chart-judge", ["lint", chart, kubeVersion]);
  t.ok(ok, output);
});

// One run of the judge for all: most of its time goes into reading the schemas.
test("what the chart makes for all these wishes fits the schemas", {
  skip: skipWithoutTools("chart-judge", ...judges),
}, async (t) => {
  const made: string[] = [];
  for (const values of Object.values(wishes)) made.push(await fromChart(...values));
  t.equal(await faultsOf(made.join("\n---\n")), "");
});

test("all that kustomize makes fits the schemas", {
  skip: skipWithoutTools("kustomize", ...judges),
}, async (t) => {
  const made: string[] = [];
  for (const folder of folders) made.push(await fromKustomize(folder));
  t.equal(await faultsOf(made.join("\n---\n")), "");
});

for (const [wish, values] of Object.entries(wishes)) {
  test(`the forwarder takes the chart's file for ${wish}`, { skip: noHelm }, async (t) => {
    const file = manifestsOf(await fromChart(...values)).get("ConfigMap kata-trace");
    if (file === undefined) t.match(values.join(), "existingSecret");
    else await takes(t, file);
  });
}

async function takes(t: Test, { data }: Manifest): Promise<void> {
  const path = join(temporaryFolder(t), "forwarder.toml");
  writeFileSync(path, (data as { "forwarder.toml": string })["forwarder.toml"]);
  const config = await readConfigFile(path);
  t.ok(config.backends.length > 0, "it has a backend");
  t.same(config.admin, { kind: "tcp", host: "0.0.0.0", port: 10241 }, "probes reach it");
}

for (const [folder, values] of [
  ["base", []],
  ["overlays/monitored", monitored],
  ["overlays/qemu", wishes["QEMU's guests"]],
] as const) {
  test(`kustomize's ${folder} is what the chart makes`, { skip: noBoth }, async (t) => {
    const ours = manifestsOf(await fromKustomize(folder));
    const charts = manifestsOf(await fromChart(...(values ?? [])));
    t.ok(charts.size >= 6, "the chart makes something");
    for (const [name, manifest] of charts) t.same(plain(ours.get(name)), plain(manifest), name);
    // What helm leaves to its user, and what has a chart of its own.
    const more = [...ours.keys()].filter(
      (name) => !charts.has(name) && !/-(gateway|sampler|balancer)/.test(name),
    );
    t.same(more, ["Namespace kata-trace"]);
  });
}

/** Without what only says who has made it. */
function plain(manifest: Manifest | undefined): unknown {
  const without = (key: string, value: unknown) =>
    key === "app.kubernetes.io/managed-by" || key === "helm.sh/chart" ? undefined : value;
  return JSON.parse(JSON.stringify(manifest ?? {}, without));
}

test("no pod has a privilege beyond the folders of sandboxes", { skip: noHelm }, async (t) => {
  const { spec } = manifestsOf(await fromChart()).get("DaemonSet kata-trace") as unknown as DaemonSet;
  const pod = spec.template.spec;
  t.same(
    pod.volumes.flatMap(({ hostPath }) => hostPath?.path ?? []),
    ["/run/vc/vm", "/run/vc/firecracker", "/run/kata"],
  );
  t.hasStrict(pod, {
    automountServiceAccountToken: false,
    securityContext: { seccompProfile: { type: "RuntimeDefault" } },
  });
  t.notOk(pod["hostNetwork"] ?? pod["hostPID"] ?? pod["hostIPC"]);
  for (const { securityContext } of pod.containers)
    t.same(securityContext, {
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ["ALL"] },
    });
});

test("where all guests come over AF_VSOCK, the pod has nothing of the node", { skip: noHelm }, async (t) => {
  const made = manifestsOf(await fromChart(...(wishes["QEMU alone, and nothing of the node"] ?? [])));
  const { spec } = made.get("DaemonSet kata-trace") as unknown as DaemonSet;
  t.notMatch(JSON.stringify(spec.template.spec), /hostPath|hostPort|hostNetwork/);
});

test("what puts the guest onto the node is confined, also where the forwarder is not", {
  skip: noHelm,
}, async (t) => {
  const made = await fromChart("--set=guest.enabled=true,vsock.enabled=true");
  const { spec } = manifestsOf(made).get("DaemonSet kata-trace") as unknown as DaemonSet;
  const pod = spec.template.spec;
  t.match(pod, { securityContext: { seccompProfile: { type: "Unconfined" } } });
  t.match(pod["initContainers"], [{ securityContext: { seccompProfile: { type: "RuntimeDefault" } } }]);
});

type DaemonSet = {
  readonly spec: {
    readonly template: {
      readonly spec: {
        readonly volumes: readonly { readonly hostPath?: { readonly path: string } }[];
        readonly containers: readonly { readonly securityContext: object }[];
        readonly [key: string]: unknown;
      };
    };
  };
};

for (const [what, values] of [
  ["a value that is not there", ["--set=backends.url=http://x"]],
  ["a backend of a kind that is not there", ["--set=backend.type=jaeger"]],
  ["a number in words", ["--set-string=backend.spoolMiB=many"]],
  ["a profile without a name", ["--set=vsock.enabled=true,vsock.seccompProfile.type=Localhost"]],
] as const) {
  test(`the chart refuses ${what}`, { skip: noHelm }, async (t) => {
    await t.rejects(fromChart(...values), { message: /values don't meet the specifications of the schema/ });
  });
}

test("a field that Kubernetes does not know is found", {
  skip: skipWithoutTools("kustomize", ...judges),
}, async (t) => {
  const good = await fromKustomize("overlays/monitored");
  const faults = [
    ["DaemonSet", "readOnlyRootFilesystem", "readonlyRootFilesystem"],
    ["RuntimeClass", "podFixed", "fixed"],
    ["Service", "port: 10241", 'port: "10241"'],
    ["ServiceMonitor", "targetLabel", "target"],
    ["PrometheusRule", "alert: ", "alarm: "],
  ] as const;
  const bad = faults.reduce((text, [, from, to]) => text.replace(from, to), good);
  const found = await faultsOf(bad);
  for (const [kind] of faults) t.match(found, `${kind} kata-`, kind);
});

test("alerts are about metrics that the forwarder has", { skip: noKustomize }, async (t) => {
  const rule = manifestsOf(await fromKustomize("overlays/monitored")).get("PrometheusRule kata-trace");
  const named = new Set(JSON.stringify(rule).match(/kata_forwarder_\w+/g));
  t.ok(named.size >= 3);
  const { metrics } = await runForwarder(t, `--listen=unix://${temporaryFolder(t)}/socket`);
  const known = new Set((await metrics()).match(/(?<=^# TYPE )\w+/gm));
  for (const name of named) t.ok(known.has(name), name);
});
