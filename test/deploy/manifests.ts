import { join } from "node:path";
import { parseAllDocuments } from "yaml";
import { kubernetesVersions } from "../../scripts/cluster/schemas.ts";
import { chart, deployFolder, runTool, toolPath } from "./tool.ts";

/** An object of Kubernetes. */
export type Manifest = {
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace?: string; labels?: Record<string, string> };
  readonly [key: string]: unknown;
};

const release = "kata-trace";
/** Of the cluster that a chart is for; what Helm takes for it without a cluster depends on how it was built. */
export const kubeVersion = `--kube-version=${kubernetesVersions[0]}`;

/** What the chart makes, with values as `--set` and `-f` take them. @throws Error with what helm says. */
export async function fromChart(...options: string[]): Promise<string> {
  const { ok, stdout, output } = await runTool("chart-judge", [
    "template",
    release,
    chart,
    kubeVersion,
    `--namespace=${release}`,
    ...options,
  ]);
  if (!ok) throw new Error(output);
  return stdout;
}

/** What kustomize makes of a folder below deploy/kustomize. @throws Error with what it says. */
export async function fromKustomize(folder: string): Promise<string> {
  const { ok, stdout, output } = await runTool("kustomize", [
    "build",
    join(deployFolder, "kustomize", folder),
  ]);
  if (!ok) throw new Error(output);
  return stdout;
}

/** What is wrong with manifests by the schemas of all releases that we look at; empty when nothing is. */
export async function faultsOf(manifests: string): Promise<string> {
  let faults = "";
  for (const version of kubernetesVersions) {
    const places = [
      toolPath("schemas", version, "{{.ResourceKind}}{{.KindSuffix}}.json"),
      toolPath("operator-schemas", "{{.ResourceKind}}_{{.ResourceAPIVersion}}.json"),
    ];
    const args = ["-strict", ...places.map((place) => `-schema-location=${place}`)];
    const { ok, output } = await runTool("kubeconform", args, manifests);
    if (!ok) faults += `${version}: ${output}`;
  }
  return faults;
}

/** The objects of a text, by kind and name. */
export function manifestsOf(text: string): Map<string, Manifest> {
  const all = parseAllDocuments(text)
    .map((document) => document.toJS() as Manifest | null)
    .filter((manifest) => manifest !== null);
  return new Map(all.map((manifest) => [`${manifest.kind} ${manifest.metadata.name}`, manifest]));
}
