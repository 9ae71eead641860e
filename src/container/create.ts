import type { ContainerId, ExecId } from "../base/ids.ts";
import { Bundle } from "../runtime/bundle.ts";
import { Cgroup, cgroupPath } from "../runtime/cgroup.ts";
import { checkMounts } from "../runtime/check-mounts.ts";
import type { Crun } from "../runtime/crun.ts";
import { crunDocument } from "../runtime/crun-document.ts";
import type { OciSpec } from "../runtime/oci.ts";
import { checkLabel } from "../runtime/selinux.ts";
import { writeNetworkSysctls } from "../runtime/sysctl-file.ts";
import { span, traceEnvironment } from "../trace/span.ts";
import { Container } from "./container.ts";
import { launchInit } from "./launch-init.ts";
import type { PassedStreams } from "./passed-streams.ts";
import { Process } from "./process.ts";

/**
 * Makes a container from the effective spec, up to the point before its program runs.
 *
 * Whatever has been made is undone when a later step fails, so that a failed create leaves no process, mount,
 * cgroup or directory behind (agent-api 10.2); `passed` then still belongs to the caller. `basePath` is the directory
 * of all bundles.
 * @throws INTERNAL, saying which step failed.
 */
export async function createContainer(
  crun: Crun,
  basePath: string,
  id: ContainerId,
  spec: OciSpec,
  passed?: PassedStreams,
): Promise<Container> {
  await using undo = new AsyncDisposableStack();
  const bundle = new Bundle(basePath, id);
  undo.defer(() => bundle.removeDirectory().catch(ignored));
  undo.defer(() => bundle.remove().catch(ignored));
  const path = cgroupPath(spec.linux?.cgroupsPath ?? "", id);
  const trace = traceEnvironment();
  const document = await span("bundle", { "container.id": id }, async () => {
    const effective = await bundle.create(spec);
    if (spec.process !== undefined) await checkLabel(spec.process);
    await checkMounts(bundle.rootfs, spec.mounts ?? []);
    await writeNetworkSysctls(spec.linux?.sysctl ?? {});
    return crunDocument(effective, path, bundle, trace);
  });
  const cgroup = new Cgroup(path);
  // crun cleans up after a create that it refuses, but not after one that we had to kill, and a group stays whose
  // limits could not be set.
  undo.defer(() => cgroup.remove().catch(ignored));
  undo.defer(() => crun.delete(id, bundle).catch(ignored));
  const launched = await launchInit(crun, id, bundle, spec, document);
  undo.move();
  const init = new Process(id as string as ExecId, launched, passed, () => cgroup.oomKilled());
  return new Container({ id, bundle, cgroup, crun, init, spec });
}

/** Removes what a failed create has left of its directory, once its storages are released. Never rejects. */
export function discardBundle(basePath: string, id: ContainerId): Promise<void> {
  return new Bundle(basePath, id).removeDirectory().catch(ignored);
}

/** An undo step that fails must not hide the error that made it necessary. */
function ignored(): void {}
