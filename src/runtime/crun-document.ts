import { existsSync } from "node:fs";
import type { Bundle } from "./bundle.ts";
import { crunResources } from "./crun-resources.ts";
import { withDefaultLimits } from "./default-limits.ts";
import { withHome } from "./home.ts";
import { crunHooks } from "./hooks.ts";
import type { OciSpec } from "./oci.ts";
import { isNetworkSysctl, sysctlFile } from "./sysctl-file.ts";

/** Names of annotations by which crun itself is told what to do: to run other handlers, to write hook output to files. */
const crunsOwn = /^(?:run\.oci\.|module\.wasm\.|org\.criu\.)/;

/**
 * The document that crun gets for a container: the effective spec with the group's path, a limit of descriptors, and
 * without what is not for crun to do. Orders to crun among the annotations come from whoever wrote the pod, so they are
 * left out; network parameters are written by us, since crun refuses them to a container without a network of its own;
 * parameters that this kernel does not have are skipped (agent-api 3.3.10 step 13); resources that may fail are ours too,
 * and hooks are run in our way (`hooks.ts`); `trace` is what `traceEnvironment` gives, for them.
 */
export async function crunDocument(
  spec: OciSpec,
  cgroupsPath: string,
  bundle: Bundle,
  trace: readonly string[] = [],
): Promise<OciSpec> {
  const { annotations, process, hooks: _wrapped, ...rest } = spec;
  const document: OciSpec = { ...rest, linux: { ...spec.linux, cgroupsPath } };
  if (process !== undefined)
    document.process = await withHome(withDefaultLimits(process), rest.root?.path ?? "/");
  if (annotations !== undefined) document.annotations = without(annotations, (name) => crunsOwn.test(name));
  const hooks = crunHooks(spec, bundle, trace);
  if (hooks !== undefined) document.hooks = hooks;
  const resources = spec.linux?.resources;
  if (resources !== undefined) document.linux = { ...document.linux, resources: crunResources(resources) };
  const sysctl = spec.linux?.sysctl;
  if (sysctl !== undefined) {
    const skipped = (name: string) => isNetworkSysctl(name) || !existsSync(sysctlFile(name));
    document.linux = { ...document.linux, sysctl: without(sysctl, skipped) };
  }
  return document;
}

function without(texts: Record<string, string>, drop: (name: string) => boolean): Record<string, string> {
  return Object.fromEntries(Object.entries(texts).filter(([name]) => !drop(name)));
}
