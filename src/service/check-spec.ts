import { AgentError } from "../base/agent-error.ts";
import { Code } from "../base/code.ts";
import type { OciHook, OciIdMapping, OciLinux, OciSpec } from "../runtime/oci.ts";
import { checkSysctls } from "./check-sysctls.ts";

/** `user:role:type`, with a level or without. */
const selinuxLabel = /^[^:\s]+:[^:\s]+:[^:\s]+(?::\S+)?$/;
/** Far more than any container has; the kernel allows 100,000 in a whole namespace. */
const maxMounts = 4096;
/** Each runs by itself, one after the other; far more than any container has. */
const maxHooks = 256;
const maxPathBytes = 4095;
/** Below what execve(2) takes as one text (32 pages), and as all of them together (a quarter of an 8 MiB stack). */
const maxTextBytes = 128 * 1024 - 4096;
const maxHookBytes = 512 * 1024;
const propagations = new Set(
  ["private", "shared", "slave", "unbindable"].flatMap((word) => [word, `r${word}`]),
);

/**
 * Looks for what contradicts itself in the document of a new container (agent-api 3.3.8, 3.3.11 step 2), before
 * anything is made. What depends on its root file system is looked at when that is there.
 * @throws INTERNAL.
 */
export function checkSpec(spec: OciSpec): void {
  const linux = spec.linux ?? {};
  const namespaces = new Set((linux.namespaces ?? []).map(({ type }) => type));
  const must = (sound: boolean, complaint: string) => {
    if (!sound) throw new AgentError(Code.internal, complaint);
  };
  must(spec.hostname === undefined || namespaces.has("uts"), "hostname without a uts namespace");
  for (const label of [spec.process?.selinuxLabel, linux.mountLabel]) {
    must(label === undefined || selinuxLabel.test(label), "SELinux label is not one");
  }
  const covered = [...(linux.maskedPaths ?? []), ...(linux.readonlyPaths ?? [])];
  must(covered.length === 0 || namespaces.has("mount"), "masked or read-only path without a mount namespace");
  must(covered.every(isClean), "masked or read-only path is not a clean absolute path");
  const { mounts = [] } = spec;
  must(mounts.length <= maxMounts, "too many mounts");
  must(
    mounts.every(({ destination }) => isClean(destination)),
    "mount destination is not a clean path",
  );
  must(
    linux.rootfsPropagation === undefined || propagations.has(linux.rootfsPropagation),
    "unknown root file system propagation",
  );
  const hooks = Object.values(spec.hooks ?? {}).flat();
  must(hooks.every(isAbsoluteHook), "hook path is not absolute");
  must(hooks.length <= maxHooks && hooks.every(isRunnable), "hooks are too many or too long");
  must(mapsAreSound(linux, namespaces.has("user")), "user namespace and id mappings do not fit");
  checkSysctls(Object.keys(linux.sysctl ?? {}), namespaces);
}

function isClean(path: string): boolean {
  return path.startsWith("/") && !path.split("/").includes("..");
}

function isAbsoluteHook({ path }: OciHook): boolean {
  return path.startsWith("/");
}

/** What is longer the kernel would not take from crun, which fails the container for it instead of telling the hook. */
function isRunnable({ path, args = [], env = [] }: OciHook): boolean {
  const bytes = [...args, ...env].map((text) => Buffer.byteLength(text));
  return (
    Buffer.byteLength(path) <= maxPathBytes &&
    bytes.every((length) => length <= maxTextBytes) &&
    bytes.reduce((sum, length) => sum + length, 0) <= maxHookBytes
  );
}

/** A user namespace needs both maps, each with somebody in it; without one there is nothing to map. */
function mapsAreSound({ uidMappings = [], gidMappings = [] }: OciLinux, hasUser: boolean): boolean {
  const populated = (mappings: OciIdMapping[]) => mappings.some(({ size }) => size > 0);
  if (hasUser) return populated(uidMappings) && populated(gidMappings);
  return uidMappings.length === 0 && gidMappings.length === 0;
}
