import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { archiveOf, type Container, runContainer, skipWithoutImage, unpack } from "../deploy/container.ts";
import { type PodContainer, type PodSpec, probed, wayOf } from "../deploy/pod-container.ts";
import { skipWithoutTools } from "../deploy/tool.ts";
import { until } from "../fakes/until.ts";
import type { Api } from "./api.ts";
import type { Pod, Run } from "./nodes.ts";

/** Why the chart's pods cannot be run here, or false. */
export function skipWithoutPods(): string | false {
  return skipWithoutTools("runtime-default") || skipWithoutImage("kata-agent-node");
}

/** Where a node that is a folder, or a world of its own, has what. */
export type Places = {
  /** For what belongs to pods. */
  readonly folder: string;
  /** The folder for a path of the node. */
  readonly node: (path: string) => string;
};

/**
 * Runs a pod of the chart's as the API server has stored it, by crun: the init container to its end, then the forwarder,
 * which is ready when the probe that says so has been answered. Pods of other images are only said to run.
 */
export function runPods(api: Api, places: Places): Run {
  return async (pod) => {
    const { spec, metadata } = pod;
    if (!spec.containers.some(({ image }) => imageName(image) === "kata-agent-node"))
      return { close: async () => {} };
    const ends: (() => unknown)[] = [];
    const owner = { teardown: (end: () => unknown) => void ends.push(end) };
    const name = `${metadata.namespace}_${metadata.name}`;
    const folder = join(places.folder, name);
    await writeVolumes(api, pod, folder);
    const start = async (container: PodContainer) => {
      const way = await wayOf(confined(spec as PodSpec), container, (path) =>
        path.startsWith("/") ? places.node(path) : join(folder, path),
      );
      for (const { source } of way.mounts) mkdirSync(source, { recursive: true });
      const archive = archiveOf(imageName((container as PodContainer & { image: string }).image));
      return runContainer(owner, unpack(archive, join(folder, `container-${container.name}`)), way);
    };
    for (const each of (spec.initContainers ?? []) as unknown as PodContainer[]) {
      const { ended, stderr } = await start(each);
      if ((await ended) !== 0) throw new Error(`${each.name}: ${stderr()}`);
    }
    const [first] = spec.containers as unknown as [PodContainer];
    const container = await start(first);
    await until(`${name} to be ready`, () => isReady(container, first));
    writeFileSync(join(places.folder, `${name}.pid`), `${container.first()}\n`);
    writeFileSync(join(places.folder, `${name}.log`), container.stderr());
    return {
      close: async () => {
        await container.stop();
        for (const end of ends) await end();
      },
    };
  };
}

/** `registry.example/name:tag` is `name`. */
function imageName(image: string): string {
  return image.replace(/^.*\//, "").replace(/:.*$/, "");
}

async function isReady(container: Container, pod: PodContainer): Promise<boolean> {
  const asked = probed(pod, "readinessProbe");
  if (asked === undefined) throw new Error("no readiness probe");
  return (await container.ask(asked.port, asked.path).catch(() => 0)) === 200;
}

/** Its seccomp profile denies AF_VSOCK, which is the machine's here and not a node's. */
function confined(spec: PodSpec): PodSpec {
  const seccompProfile = { type: "RuntimeDefault" };
  return { ...spec, securityContext: { ...spec.securityContext, seccompProfile } };
}

/** What is in the pod's volumes from the start: files of ConfigMaps, without the listener that it may not have. */
async function writeVolumes(api: Api, { spec, metadata }: Pod, folder: string): Promise<void> {
  type Volume = { readonly name: string; readonly configMap?: { readonly name: string } };
  for (const { name, configMap } of (spec["volumes"] ?? []) as readonly Volume[]) {
    mkdirSync(join(folder, name), { recursive: true });
    if (configMap === undefined) continue;
    const path = `/api/v1/namespaces/${metadata.namespace}/configmaps/${configMap.name}`;
    const { data } = JSON.parse(await api.send("GET", path)) as { data: Record<string, string> };
    for (const [file, text] of Object.entries(data))
      writeFileSync(join(folder, name, file), text.replace(/, "vsock:[^"]*"/, ""));
  }
}
