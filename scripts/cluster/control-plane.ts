// Gets a Kubernetes control plane, helm and kubectl into .cache/cluster/control-plane, and what the Prometheus operator
// defines into .cache/cluster/operator-definitions:
//   node scripts/cluster/control-plane.ts
// Go compiles for many minutes, so it is only got by `make test-cluster`. What cannot be had costs a line that says so;
// its tests then skip.
import { mkdirSync, renameSync } from "node:fs";
import { join } from "node:path";
import { type Provision, provide, quietly } from "../provide.ts";
import { getOperatorDefinitions } from "./schemas.ts";

const root = join(import.meta.dirname, "../..");
const cache = join(root, ".cache/cluster");
const module = join(root, "test/cluster/control-plane");
const etcd = "go.etcd.io/etcd/server/v3";
const packages = [
  etcd,
  "helm.sh/helm/v3/cmd/helm",
  "k8s.io/kubernetes/cmd/kube-apiserver",
  "k8s.io/kubernetes/cmd/kube-controller-manager",
  "k8s.io/kubernetes/cmd/kube-scheduler",
  "k8s.io/kubernetes/cmd/kubectl",
  "./kubelet-doors",
];
const limitMs = 90 * 60_000;

/** The release that the module requires, which charts ask for; Kubernetes' own build writes it in. */
async function versionFlags(): Promise<string> {
  const list = ["list", "-m", "-f", "{{.Version}}", "k8s.io/kubernetes"];
  const version = (await quietly("go", list, module)).stdout.trim();
  const [major, minor] = version.slice(1).split(".");
  const values = { gitVersion: version, gitMajor: major, gitMinor: minor };
  const place = "k8s.io/component-base/version";
  return Object.entries(values)
    .map(([name, value]) => `-X ${place}.${name}=${value}`)
    .join(" ");
}

/** All at once: they have most of their packages in common. */
async function getControlPlane(path: string): Promise<void> {
  mkdirSync(path);
  const flags = ["-mod=readonly", "-trimpath", `-ldflags=-s -w ${await versionFlags()}`];
  await quietly("go", ["build", ...flags, "-o", path, ...packages], module, limitMs);
  // Go calls it by the last folder of its path.
  renameSync(join(path, "server"), join(path, "etcd"));
}

const provisions: readonly Provision[] = [
  {
    name: "what the Prometheus operator defines",
    place: "operator-definitions",
    get: getOperatorDefinitions,
  },
  { name: "a Kubernetes control plane", place: "control-plane", get: getControlPlane },
];

for (const provision of provisions) await provide(cache, provision);
