import { lstat } from "node:fs/promises";
import { AgentError } from "../base/agent-error.ts";
import { Code } from "../base/code.ts";
import type { OciDevice, OciHook, OciHooks, OciMount, OciSpec } from "../runtime/oci.ts";
import { deviceNumber } from "../sys/device-number.ts";
import type { CdiDeviceNode, CdiEdits, CdiHook, CdiMount } from "./cdi-document.ts";

const permissionBits = 0o777;

/**
 * Makes the edits of one device in the document of a container, as the CDI specification says under "OCI Edits": what
 * is there under the same name or path gives way.
 * @throws INTERNAL when a node is not there, or is of another type than the specification says.
 */
export async function applyCdiEdits(spec: OciSpec, edits: CdiEdits): Promise<OciSpec> {
  const nodes = await Promise.all(edits.deviceNodes.map((node) => resolved(node, spec)));
  const { process: init, linux } = spec;
  const edited: OciSpec = { ...spec, linux: withDevices(linux, nodes) };
  if (edits.mounts.length > 0) edited.mounts = withMounts(spec.mounts ?? [], edits.mounts.map(ociMount));
  if (edits.hooks.length > 0) edited.hooks = withHooks(spec.hooks ?? {}, edits.hooks);
  if (init !== undefined) {
    const gids = init.user.additionalGids ?? [];
    const additionalGids = [...new Set([...gids, ...edits.additionalGids])];
    edited.process = {
      ...init,
      env: withEnv(init.env ?? [], edits.env),
      user: { ...init.user, additionalGids },
    };
  }
  return edited;
}

function withEnv(env: readonly string[], added: readonly string[]): string[] {
  const key = (entry: string) => entry.slice(0, entry.indexOf("="));
  const news = new Map(added.map((entry) => [key(entry), entry]));
  const kept = env.map((entry) => {
    const replacement = news.get(key(entry));
    news.delete(key(entry));
    return replacement ?? entry;
  });
  return [...kept, ...news.values()];
}

type Node = { device: OciDevice; permissions: string };

async function resolved(node: CdiDeviceNode, spec: OciSpec): Promise<Node> {
  const { uid, gid } = spec.process?.user ?? { uid: 0, gid: 0 };
  const number = await typeAndNumber(node);
  const device: OciDevice = { path: node.path, type: number.type };
  const fileMode = node.fileMode ?? number.fileMode;
  if (number.type !== "p") {
    device.major = BigInt(number.major);
    device.minor = BigInt(number.minor);
  }
  if (fileMode !== undefined) device.fileMode = fileMode;
  // A container of an ordinary user gets nodes that this user can open.
  device.uid = node.uid ?? uid;
  device.gid = node.gid ?? gid;
  return { device, permissions: node.permissions };
}

type Found = { type: string; major: number; minor: number; fileMode?: number };

/** What the specification does not tell is that of the guest's own node. */
async function typeAndNumber(node: CdiDeviceNode): Promise<Found> {
  const type = node.type === "u" ? "c" : node.type;
  const told = { major: node.major ?? 0, minor: node.minor ?? 0 };
  if (type !== undefined && (told.major !== 0 || type === "p")) return { type, ...told };
  const found = await lstat(node.hostPath).catch((error) => {
    throw AgentError.from(error, "CDI device node", Code.internal);
  });
  const kind = found.isBlockDevice() ? "b" : found.isCharacterDevice() ? "c" : found.isFIFO() ? "p" : "";
  if (kind === "" || (type !== undefined && type !== kind)) {
    throw new AgentError(Code.internal, "a CDI device node is of another type than its specification says");
  }
  const number = told.major !== 0 ? told : deviceNumber(found.rdev);
  return { type: kind, ...number, fileMode: found.mode & permissionBits };
}

function withDevices(linux: OciSpec["linux"], nodes: readonly Node[]): NonNullable<OciSpec["linux"]> {
  if (nodes.length === 0) return linux ?? {};
  const paths = new Set(nodes.map(({ device }) => device.path));
  const kept = (linux?.devices ?? []).filter(({ path }) => !paths.has(path));
  const rules = nodes
    .filter(({ device }) => device.type !== "p")
    .map(({ device: { type, major = 0n, minor = 0n }, permissions }) => {
      return { allow: true, type, major, minor, access: permissions };
    });
  return {
    ...linux,
    devices: [...kept, ...nodes.map(({ device }) => device)],
    resources: { ...linux?.resources, devices: [...(linux?.resources?.devices ?? []), ...rules] },
  };
}

function ociMount({ hostPath, containerPath, type = "bind", options }: CdiMount): OciMount {
  return { destination: containerPath, source: hostPath, type, options };
}

/** Sorted by depth, so that no mount hides one that was made below it before. */
function withMounts(mounts: readonly OciMount[], added: readonly OciMount[]): OciMount[] {
  const places = new Set(added.map(({ destination }) => destination));
  const kept = mounts.filter(({ destination }) => !places.has(destination));
  const depth = ({ destination }: OciMount) => destination.split("/").filter(Boolean).length;
  return [...kept, ...added].sort((one, other) => depth(one) - depth(other));
}

function withHooks(hooks: OciHooks, added: readonly CdiHook[]): OciHooks {
  const all: OciHooks = { ...hooks };
  for (const { hookName, path, args, env, timeout } of added) {
    const stage = hookName as keyof OciHooks;
    const hook: OciHook = { path, args, env };
    // 0 is no time, so it can only mean the runtime's own limit.
    if (timeout !== undefined && timeout > 0) hook.timeout = timeout;
    all[stage] = [...(all[stage] ?? []), hook];
  }
  return all;
}
