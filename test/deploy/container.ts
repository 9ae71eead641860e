import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Test } from "tap";
import { ownArchitecture } from "../../scripts/image/architecture.ts";
import { version } from "../../src/base/version.ts";

const namespaces = join(import.meta.dirname, "../../scripts/namespaces.sh");
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
  readonly args: readonly string[];
  readonly capabilities: readonly string[];
  /** Places in the container, by folders of the machine. */
  readonly mounts: Readonly<Record<string, string>>;
};

type Spec = {
  process: { args: string[]; capabilities: object; noNewPrivileges: boolean; terminal: boolean };
  root: { readonly: boolean };
  mounts: { destination: string; type?: string; source?: string; options?: string[] }[];
  linux: { namespaces: { type: string }[]; resources?: object; cgroupsPath?: string };
};

/** A container of crun, as a kubelet has it run: a root without capabilities, on a read-only root file system. */
export type Container = {
  readonly stderr: () => string;
  /** Asks its process to end; gives the exit code. */
  readonly stop: () => Promise<number | null>;
  readonly ended: Promise<number | null>;
};

/** Runs the bundle in namespaces of its own; it ends with the test. */
export function runContainer(t: Test, bundle: string, { args, capabilities, mounts }: Way): Container {
  const path = join(bundle, "config.json");
  const spec = JSON.parse(readFileSync(path, "utf8")) as Spec;
  const held = { bounding: capabilities, effective: capabilities, permitted: capabilities };
  Object.assign(spec.process, { capabilities: held, noNewPrivileges: true, terminal: false });
  spec.process.args.push(...args);
  spec.root.readonly = true;
  spec.mounts = [
    ...spec.mounts.filter(({ type, destination }) => type !== "cgroup" && !(destination in mounts)),
    ...Object.entries(mounts).map(([destination, source]) => ({
      ...{ destination, source, type: "bind" },
      options: ["bind", "rw", "nosuid", "nodev"],
    })),
  ];
  spec.linux.namespaces = spec.linux.namespaces.filter(({ type }) => type !== "network" && type !== "cgroup");
  delete spec.linux.resources;
  delete spec.linux.cgroupsPath;
  writeFileSync(path, JSON.stringify(spec));

  const crun = ["crun", "--root", join(bundle, "state"), "--cgroup-manager=disabled"];
  const id = `kata-test-${process.pid}`;
  const child = spawn(namespaces, [...crun, "run", "--bundle", bundle, id], {
    stdio: ["ignore", "ignore", "pipe"],
  });
  let printed = "";
  child.stderr.on("data", (chunk) => {
    printed += chunk;
  });
  const ended = once(child, "close").then(() => child.exitCode);
  t.teardown(() => {
    if (child.exitCode === null) child.kill("SIGKILL");
    return ended;
  });
  const stop = () => {
    // The first process of the namespace is crun, which hands signals on.
    const first = readFileSync(`/proc/${child.pid}/task/${child.pid}/children`, "utf8");
    process.kill(Number.parseInt(first, 10), "SIGTERM");
    return ended;
  };
  return { stderr: () => printed, ended, stop };
}
