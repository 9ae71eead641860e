// A cluster of one node for the commands of a page, until it is ended:
//   node serve.ts FOLDER
// FOLDER/ready is there when it can be used; FOLDER/kubeconfig.json is what helm and kubectl read. It has what the
// Prometheus operator defines. Runs in a world of its own (test/docs/page-world.sh), whose /opt is the node's.
import { mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { freePort } from "../../scripts/loopback.ts";
import { Api } from "./api.ts";
import { kataNode } from "./cluster.ts";
import { startControlPlane } from "./control-plane.ts";
import { joinNodes } from "./nodes.ts";
import { operatorDefinitions, programs, runClient } from "./programs.ts";
import { runPods } from "./run-pod.ts";
import { serve } from "./served.ts";

const [folder = ""] = process.argv.slice(2);
const pods = join(folder, "pods");
mkdirSync(pods, { recursive: true });
const { address, kubeconfig } = await startControlPlane(folder);

for (const file of readdirSync(operatorDefinitions)) {
  const create = ["create", "--filename", join(operatorDefinitions, file)];
  const { code, stderr } = await runClient("kubectl", kubeconfig, create);
  if (code !== 0) throw new Error(stderr);
}

const port = await freePort();
const key = address.certificate.replace(/crt$/, "key");
serve(join(programs, "kubelet-doors"), [`${port}`, pods, address.certificate, key], join(folder, "doors"));
const api = new Api(address);
const node = (path: string) => (path.startsWith("/opt/") ? path : join(folder, "node", path));
await joinNodes(
  api,
  [{ name: "node-1", labels: kataNode, cpu: "8", port }],
  runPods(api, { folder: pods, node }),
);
writeFileSync(join(folder, "ready"), "");
