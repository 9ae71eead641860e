/**
 * One CDI specification file, read and checked (CDI specification 0.3 to 1.x, https://github.com/cncf-tags/container-device-interface).
 * It comes from a program of the guest, not from the host, but a half-written one is met at every boot: what is not as
 * the specification says is refused as a whole.
 */

import { absolutePath } from "../base/absolute-path.ts";
import { AgentError } from "../base/agent-error.ts";
import { Code } from "../base/code.ts";
import { isCdiDevice, isCdiKind } from "./cdi-names.ts";

/** A node that a container gets; what is absent is that of the node at `hostPath`, which is the guest's. */
export type CdiDeviceNode = {
  path: string;
  hostPath: string;
  type: string | undefined;
  major: number | undefined;
  minor: number | undefined;
  fileMode: number | undefined;
  uid: number | undefined;
  gid: number | undefined;
  permissions: string;
};

/** A mount to be added. */
export type CdiMount = {
  hostPath: string;
  containerPath: string;
  type: string | undefined;
  options: string[];
};

/** A hook to be added; `timeout` in seconds. */
export type CdiHook = {
  hookName: string;
  path: string;
  args: string[];
  env: string[];
  timeout: number | undefined;
};

/** What a device changes in the document of a container. `intelRdt` and `netDevices` mean nothing in a guest. */
export type CdiEdits = {
  env: string[];
  deviceNodes: CdiDeviceNode[];
  mounts: CdiMount[];
  hooks: CdiHook[];
  additionalGids: number[];
};

/** `edits`: made once for a container that gets any of the devices. */
export type CdiDocument = { kind: string; devices: ReadonlyMap<string, CdiEdits>; edits: CdiEdits };

type Fields = Readonly<Record<string, unknown>>;

const hookNames = ["prestart", "createRuntime", "createContainer", "startContainer", "poststart", "poststop"];
const maxEntries = 4096;

/** Reads a document that has been parsed. @throws INTERNAL naming what is wrong with it. */
export function cdiDocument(parsed: unknown): CdiDocument {
  const fields = record(parsed, "the document");
  if (!/^v?[01]\.\d+\.\d+$/.test(text(fields, "cdiVersion"))) throw wrong("cdiVersion is not known");
  const kind = text(fields, "kind");
  if (!isCdiKind(kind)) throw wrong("kind is not vendor/class");
  const devices = new Map<string, CdiEdits>();
  for (const device of list(fields, "devices").map((one) => record(one, "devices"))) {
    const name = text(device, "name");
    if (!isCdiDevice(name) || devices.has(name)) throw wrong("a device name is bad or there twice");
    devices.set(name, edits(device));
  }
  return { kind, devices, edits: edits(fields) };
}

function edits(of: Fields): CdiEdits {
  const fields = record(of["containerEdits"] ?? {}, "containerEdits");
  const each = (key: string) => list(fields, key).map((one) => record(one, key));
  const env = texts(fields, "env");
  if (env.some((entry) => entry.indexOf("=") < 1 || entry.includes("\0"))) throw wrong("env");
  return {
    env,
    deviceNodes: each("deviceNodes").map(deviceNode),
    mounts: each("mounts").map(mount),
    hooks: each("hooks").map(hook),
    additionalGids: list(fields, "additionalGIDs")
      .map((gid) => whole(gid, "additionalGIDs"))
      .filter((gid) => gid !== 0),
  };
}

function deviceNode(node: Fields): CdiDeviceNode {
  const path = absolutePath(text(node, "path"), "CDI device path");
  const hostPath = optional(node, "hostPath", string);
  const type = optional(node, "type", string);
  if (type !== undefined && !/^[bcup]$/.test(type)) throw wrong("type of a device node");
  const permissions = optional(node, "permissions", string) ?? "";
  if (!/^[rwm]*$/.test(permissions)) throw wrong("permissions");
  return {
    path,
    hostPath: hostPath ? absolutePath(hostPath, "CDI host path") : path,
    type,
    major: optional(node, "major", whole),
    minor: optional(node, "minor", whole),
    fileMode: optional(node, "fileMode", whole),
    uid: optional(node, "uid", whole),
    gid: optional(node, "gid", whole),
    permissions: permissions === "" ? "rwm" : permissions,
  };
}

function mount(fields: Fields): CdiMount {
  return {
    hostPath: text(fields, "hostPath"),
    containerPath: absolutePath(text(fields, "containerPath"), "CDI container path"),
    type: optional(fields, "type", string) || undefined,
    options: texts(fields, "options"),
  };
}

function hook(fields: Fields): CdiHook {
  const hookName = text(fields, "hookName");
  if (!hookNames.includes(hookName)) throw wrong("hookName is not known");
  return {
    hookName,
    path: absolutePath(text(fields, "path"), "CDI hook path"),
    args: texts(fields, "args"),
    env: texts(fields, "env"),
    timeout: optional(fields, "timeout", whole),
  };
}

function record(value: unknown, what: string): Fields {
  if (typeof value !== "object" || value === null || Array.isArray(value))
    throw wrong(`${what} is no mapping`);
  return value as Fields;
}

function list(fields: Fields, key: string): unknown[] {
  const value = fields[key] ?? [];
  if (!Array.isArray(value) || value.length > maxEntries) throw wrong(`${key} is no list`);
  return value;
}

function texts(fields: Fields, key: string): string[] {
  return list(fields, key).map((one) => string(one, key));
}

function text(fields: Fields, key: string): string {
  const value = string(fields[key], key);
  if (value === "") throw wrong(`${key} is empty`);
  return value;
}

function string(value: unknown, key: string): string {
  if (typeof value !== "string" || value.includes("\0")) throw wrong(`${key} is no text`);
  return value;
}

function whole(value: unknown, key: string): number {
  if (typeof value !== "number" || !Number.isInteger(value) || value < 0 || value > 0xffff_ffff) {
    throw wrong(`${key} is no number`);
  }
  return value;
}

function optional<T>(fields: Fields, key: string, read: (value: unknown, key: string) => T): T | undefined {
  const value = fields[key];
  return value === undefined || value === null ? undefined : read(value, key);
}

function wrong(what: string): AgentError {
  return new AgentError(Code.internal, `CDI specification: ${what}`);
}
