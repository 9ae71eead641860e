// Gets what judges deploy/helm and deploy/kustomize into .cache/cluster: Helm's packages, kustomize, kubeconform, and the
// schemas of Kubernetes and of the Prometheus operator's resources:
//   node scripts/cluster/tools.ts
// What cannot be had here (no Go, no Python, no registry) costs a line that says so; its tests then skip.
import { join } from "node:path";
import { goProgram, type Provision, provide } from "../provide.ts";
import { getKubernetesSchemas, getOperatorSchemas } from "./schemas.ts";

const root = join(import.meta.dirname, "../..");
const cache = join(root, ".cache/cluster");
const module = join(root, "test/deploy/tools");

// After the Collector (scripts/backends.ts), whose module has the same versions: what both need is compiled once.
const provisions: readonly Provision[] = [
  { name: "the schemas of Kubernetes", place: "schemas", get: getKubernetesSchemas },
  { name: "the schemas of the Prometheus operator", place: "operator-schemas", get: getOperatorSchemas },
  goProgram("the judge of charts", "chart-judge", module, "./chart-judge"),
  goProgram("kubeconform", "kubeconform", module, "github.com/yannh/kubeconform/cmd/kubeconform"),
  goProgram("kustomize", "kustomize", module, "sigs.k8s.io/kustomize/kustomize/v5"),
  goProgram("containerd's seccomp profile", "runtime-default", join(root, "test/deploy/runtime-default")),
];

for (const provision of provisions) await provide(cache, provision);
