import { generateKeyPairSync, randomBytes } from "node:crypto";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { freePort } from "../../scripts/loopback.ts";
import { until } from "../fakes/until.ts";
import { type Address, Api } from "./api.ts";
import { programs, runClient } from "./programs.ts";
import { type Served, serve } from "./served.ts";

/**
 * A Kubernetes control plane: etcd, kube-apiserver with the admission that it has by itself, kube-controller-manager and
 * kube-scheduler, as a cluster has them, on ports of the loopback. There are no nodes: nodes.ts has them join.
 * All files are in a folder of its own. The API server makes its certificate itself; whoever has the token may do
 * everything.
 */

/** A control plane that runs. */
export type ControlPlane = {
  readonly address: Address;
  /** The file that helm and kubectl read. */
  readonly kubeconfig: string;
  /** Ends its processes. May be called twice. */
  close(): Promise<void>;
};

/** Pods that stand in for others need long only where the machine is. */
const readyLimitMs = 300_000;

/** @throws Error with the last lines of a program that ended or did not come up. */
export async function startControlPlane(folder: string): Promise<ControlPlane> {
  const started: Served[] = [];
  const close = async () => {
    for (const each of started.splice(0).reverse()) await each.close();
  };
  const run = (name: string, args: readonly string[]) => {
    started.push(serve(join(programs, name), args, join(folder, name)));
  };
  try {
    const [address, storage] = [await prepare(folder), await freePort()];
    const kubeconfig = writeKubeconfig(folder, address);
    run("etcd", etcdArguments(folder, storage, await freePort()));
    run("kube-apiserver", serverArguments(folder, address, storage));
    const isReady = async () => {
      for (const each of started) each.check();
      return (await runClient("kubectl", kubeconfig, ["get", "--raw=/readyz"])).code === 0;
    };
    await until("the API server", isReady, readyLimitMs);
    run("kube-controller-manager", controllerArguments(folder, kubeconfig));
    run("kube-scheduler", [`--kubeconfig=${kubeconfig}`, ...alone]);
    const account = "/api/v1/namespaces/default/serviceaccounts/default";
    const hasAccount = async () => {
      for (const each of started) each.check();
      return new Api(address).send("GET", account).then(
        () => true,
        () => false,
      );
    };
    await until("the controllers", hasAccount, readyLimitMs);
    return { address, kubeconfig, close };
  } catch (error) {
    await close();
    throw error;
  }
}

/** One of each, and nobody asks for its health. */
const alone = ["--leader-elect=false", "--secure-port=0"];

async function prepare(folder: string): Promise<Address> {
  mkdirSync(join(folder, "certificates"), { recursive: true });
  mkdirSync(join(folder, "home"), { recursive: true });
  const token = randomBytes(16).toString("hex");
  const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
  writeFileSync(join(folder, "tokens.csv"), `${token},admin,admin,system:masters\n`);
  writeFileSync(join(folder, "accounts.key"), privateKey.export({ type: "pkcs1", format: "pem" }));
  return { port: await freePort(), token, certificate: join(folder, "certificates/apiserver.crt") };
}

function writeKubeconfig(folder: string, { port, token, certificate }: Address): string {
  const path = join(folder, "kubeconfig.json");
  const cluster = { server: `https://127.0.0.1:${port}`, "certificate-authority": certificate };
  const config = {
    ...{ apiVersion: "v1", kind: "Config", "current-context": "test" },
    clusters: [{ name: "test", cluster }],
    users: [{ name: "admin", user: { token } }],
    contexts: [{ name: "test", context: { cluster: "test", user: "admin" } }],
  };
  writeFileSync(path, JSON.stringify(config), { mode: 0o600 });
  return path;
}

function etcdArguments(folder: string, port: number, peerPort: number): string[] {
  const [url, peerUrl] = [`http://127.0.0.1:${port}`, `http://127.0.0.1:${peerPort}`];
  return [
    `--data-dir=${join(folder, "data")}`,
    // What is kept here is for one run.
    "--unsafe-no-fsync",
    `--listen-client-urls=${url}`,
    `--advertise-client-urls=${url}`,
    `--listen-peer-urls=${peerUrl}`,
    `--initial-advertise-peer-urls=${peerUrl}`,
    `--initial-cluster=default=${peerUrl}`,
  ];
}

function serverArguments(folder: string, address: Address, storage: number): string[] {
  const key = join(folder, "accounts.key");
  return [
    `--etcd-servers=http://127.0.0.1:${storage}`,
    `--secure-port=${address.port}`,
    "--bind-address=127.0.0.1",
    "--advertise-address=127.0.0.1",
    "--endpoint-reconciler-type=none",
    `--cert-dir=${join(folder, "certificates")}`,
    `--token-auth-file=${join(folder, "tokens.csv")}`,
    "--authorization-mode=Node,RBAC",
    "--service-account-issuer=https://kubernetes.default.svc",
    `--service-account-key-file=${key}`,
    `--service-account-signing-key-file=${key}`,
    "--service-cluster-ip-range=10.0.0.0/24",
    "--kubelet-preferred-address-types=InternalIP",
  ];
}

function controllerArguments(folder: string, kubeconfig: string): string[] {
  return [
    `--kubeconfig=${kubeconfig}`,
    ...alone,
    `--service-account-private-key-file=${join(folder, "accounts.key")}`,
    `--root-ca-file=${join(folder, "certificates/apiserver.crt")}`,
    // The nodes here say once that they are ready.
    "--node-monitor-grace-period=24h",
  ];
}
