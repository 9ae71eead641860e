import type { Cluster } from "./cluster.ts";

/** What comes and goes by itself. */
const passing = new Set(["events", "events.events.k8s.io", "leases.coordination.k8s.io"]);
const form = '{range .items[*]}{.kind} {.metadata.namespace}/{.metadata.name}{"\\n"}{end}';

/** All objects that a cluster holds, as `Kind namespace/name`, in order. @throws Error with kubectl's words. */
export async function everything({ kubectl }: Cluster): Promise<string[]> {
  const said = async (args: readonly string[]) => {
    const { code, stdout, stderr } = await kubectl(args);
    if (code !== 0) throw new Error(stderr);
    return stdout.split("\n").filter((line) => line !== "");
  };
  const kinds = await said(["api-resources", "--verbs=list", "--output=name"]);
  const wanted = kinds.filter((kind) => !passing.has(kind)).join(",");
  return (await said(["get", wanted, "--all-namespaces", `--output=jsonpath=${form}`])).toSorted();
}
