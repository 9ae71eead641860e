import { execFile, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { ownArchitecture } from "../../scripts/image/architecture.ts";
import { version } from "../../src/base/version.ts";

const namespaces = join(import.meta.dirname, "../../scripts/namespaces.sh");
/** Starting a Node takes its time on a busy machine. */
const askLimitMs = 120_000;
const images = join(import.meta.dirname, "../../build/image");

/** The archive that scripts/cluster/images.ts makes. */
export function archiveOf(name: string): string {
  return join(images, `${name}-${version}-${ownArchitecture()}.oci.tar`);
}

/** Why tests that run an image are skipped, or false. */
export function skipWithoutImage(name: string): string | false {
  if (process.getuid?.() !== 0) return "only root runs containers here";
  if (!existsSync("/usr/bin/umoci")) return "umoci is not installed";
  return existsSync(archiveOf(name)) ? false : `the image ${name} has not been made`;
}

/** Unpacks an archive with umoci, which did not make it; gives a bundle for an OCI runtime. */
export function unpack(archive: string, folder: string): string {
  const layout = join(folder, "layout");
  const bundle = join(folder, "bundle");
  mkdirSync(layout, { recursive: true });
  execFileSync("tar", ["-xf", archive, "-C", layout]);
  execFileSync("umoci", ["unpack", "--image", `${layout}:${version}`, bundle], { stdio: "pipe" });
  return bundle;
}

/** How a container is run. */
export type Way = {
  /** Behind what the image starts. */
  readonly args: readonly string[];
  readonly user: { readonly uid: number; readonly gid: number };
  readonly capabilities: readonly string[];
  readonly isReadOnly: boolean;
  readonly hasNoNewPrivileges: boolean;
  /** As it stands in config.json; none, without. */
  readonly seccomp: object | undefined;
  /** Folders of the machine, by where the container has them. */
  readonly mounts: readonly { readonly at: string; readonly source: string; readonly isReadOnly: boolean }[];
};

type Spec = {
  process: {
    args: string[];
    user: object;
    capabilities: object;
    noNewPrivileges: boolean;
    terminal: boolean;
  };
  root: { readonly: boolean };
  mounts: { destination: string; type?: string; source?: string; options?: string[] }[];
  linux: {
    namespaces: { type: string }[];
    seccomp?: object | undefined;
    resources?: object;
    cgroupsPath?: string;
  };
};

/** Whoever ends what was started for it, such as a test. */
export type Owner = { teardown(end: () => unknown): void };

/** A container of crun. */
export type Container = {
  readonly stderr: () => string;
  /** A process in its network, from the machine's view. */
  readonly first: () => number;
  /** Asks a port of it as a kubelet's probe does; gives the status, 0 when there is no answer. */
  readonly ask: (port: number, path: string) => Promise<number>;
  /** Asks its process to end; gives the exit code. */
  readonly stop: () => Promise<number | null>;
  readonly ended: Promise<number | null>;
};

/** Runs the bundle in namespaces of its own, a network among them; it ends with its owner. */
export function runContainer(owner: Owner, bundle: string, way: Way): Container {
  const path = join(bundle, "config.json");
  const spec = JSON.parse(readFileSync(path, "utf8")) as Spec;
  const { user, args, mounts, capabilities } = way;
  const held = { bounding: capabilities, effective: capabilities, permitted: capabilities };
  const noNewPrivileges = way.hasNoNewPrivileges;
  Object.assign(spec.process, { user, capabilities: held, noNewPrivileges, terminal: false });
  spec.process.args.push(...args);
  spec.root.readonly = way.isReadOnly;
  const places = new Set(mounts.map(({ at }) => at));
  spec.mounts = [
    ...spec.mounts.filter(({ type, destination }) => type !== "cgroup" && !places.has(destination)),
    ...mounts.map(({ at, source, isReadOnly }) => ({
      ...{ destination: at, source, type: "bind" },
      options: ["bind", isReadOnly ? "ro" : "rw", "nosuid", "nodev"],
    })),
  ];
  spec.linux.namespaces = spec.linux.namespaces.filter(({ type }) => type !== "network" && type !== "cgroup");
  spec.linux.seccomp = way.seccomp;
  delete spec.linux.resources;
  delete spec.linux.cgroupsPath;
  writeFileSync(path, JSON.stringify(spec));

  const crun = ["crun", "--root", join(bundle, "state"), "--cgroup-manager=disabled"];
  const id = `kata-test-${process.pid}`;
  const inside = ["sh", "-c", 'ip link set lo up && exec "$@"', "sh", ...crun];
  const child = spawn(namespaces, [...inside, "run", "--bundle", bundle, id], {
    stdio: ["ignore", "ignore", "pipe"],
  });
  let printed = "";
  child.stderr.on("data", (chunk) => {
    printed += chunk;
  });
  const ended = once(child, "close").then(() => child.exitCode);
  owner.teardown(() => {
    if (child.exitCode === null) child.kill("SIGKILL");
    return ended;
  });
  // The first process of the namespaces is crun, which hands signals on.
  const first = () =>
    Number.parseInt(readFileSync(`/proc/${child.pid}/task/${child.pid}/children`, "utf8"), 10);
  const stop = () => {
    process.kill(first(), "SIGTERM");
    return ended;
  };
  const ask = async (port: number, path: string) => askWithin(first(), `http://127.0.0.1:${port}${path}`);
  return { stderr: () => printed, first, ask, ended, stop };
}

/** The status of an answer in the network of a process. */
function askWithin(pid: number, url: string): Promise<number> {
  const asking = "fetch(process.argv[1]).then(({ status }) => console.log(status), () => console.log(0))";
  const args = [`--net=/proc/${pid}/ns/net`, process.execPath, "-e", asking, url];
  return new Promise((resolve, reject) => {
    const env = { PATH: process.env["PATH"] };
    execFile("nsenter", args, { env, timeout: askLimitMs }, (error, stdout) =>
      error === null ? resolve(Number(stdout)) : reject(error),
    );
  });
}
