import { AgentError } from "../base/agent-error.ts";
import { Code } from "../base/code.ts";
import type { Hook, Hooks, Mount, Spec } from "../gen/oci.ts";
import type { OciHook, OciHooks, OciMount, OciSpec } from "../runtime/oci.ts";
import { checkSpec } from "./check-spec.ts";
import { ociLinux } from "./oci-linux.ts";
import { ociProcess } from "./oci-process.ts";
import { list, present, text } from "./present.ts";

/** Version of the OCI document when the request names none; crun wants one. */
const defaultOciVersion = "1.0.2";
/**
 * Option words of agent-api 3.3.11 that crun takes for data of the file system, which would refuse them. The kernel
 * has no use for them: lists of access rights are on where a file system has them, the others are gone or say nothing.
 */
const voidOptions = new Set(["acl", "noacl", "iversion", "noiversion", "loud", "silent"]);
/** How long a hook may run when the request does not say (agent-api 3.3.3). */
const defaultHookTimeoutSeconds = 10;

/**
 * The OCI document that a request means (agent-api 3.3.3). Empty lists of mounts, namespaces and paths mean none.
 * @throws INTERNAL when process, its capabilities, root or the Linux section are missing, for unknown words, and for
 *   what contradicts itself (agent-api 3.3.8).
 */
export function ociSpec(spec: Spec, oomScoreFloor?: number): OciSpec {
  const { Process: process, Root: root, Linux: linux } = spec;
  if (process === undefined) throw new AgentError(Code.internal, "spec has no process");
  if (process.Capabilities === undefined) throw new AgentError(Code.internal, "missing process capabilities");
  if (root === undefined) throw new AgentError(Code.internal, "spec has no root");
  if (linux === undefined) throw new AgentError(Code.internal, "spec has no linux section");
  const document = present<OciSpec>({
    ociVersion: spec.Version === "" ? defaultOciVersion : spec.Version,
    process: ociProcess(process, oomScoreFloor),
    root: { path: root.Path, readonly: root.Readonly },
    hostname: text(spec.Hostname),
    mounts: spec.Mounts.map(ociMount),
    hooks: spec.Hooks && ociHooks(spec.Hooks),
    annotations: spec.Annotations.size === 0 ? undefined : Object.fromEntries(spec.Annotations),
    linux: ociLinux(linux),
  });
  checkSpec(document);
  return document;
}

function ociMount(mount: Mount): OciMount {
  const bind = mount.options.some((option) => option === "bind" || option === "rbind");
  const untyped = mount.type === "" || mount.type === "none";
  return present<OciMount>({
    destination: mount.destination,
    source: text(mount.source),
    type: bind && untyped ? "bind" : text(mount.type),
    options: list(mount.options.filter((option) => !voidOptions.has(option))),
  });
}

/** `createRuntime` is never run in the guest: it is the host runtime's (agent-api 3.3.6). */
function ociHooks(hooks: Hooks): OciHooks {
  return present<OciHooks>({
    prestart: list(hooks.Prestart.map(ociHook)),
    createContainer: list(hooks.CreateContainer.map(ociHook)),
    startContainer: list(hooks.StartContainer.map(ociHook)),
    poststart: list(hooks.Poststart.map(ociHook)),
    poststop: list(hooks.Poststop.map(ociHook)),
  });
}

function ociHook(hook: Hook): OciHook {
  return present<OciHook>({
    path: hook.Path,
    args: list(hook.Args),
    env: list(hook.Env),
    timeout: hook.Timeout > 0n ? Number(hook.Timeout) : defaultHookTimeoutSeconds,
  });
}
