import { AgentError } from "../base/agent-error.ts";
import { Code } from "../base/code.ts";
import type { OciDevice, OciDeviceRule, OciSpec } from "../runtime/oci.ts";
import type { GuestNode } from "./device.ts";

/** A found node, and the path by which the document of the container names the device. */
export type PlacedNode = { containerPath: string; node: GuestNode };

/**
 * Puts this guest's nodes into the document of a container (agent-api 4.4): the device at each path gets the guest's
 * number, rules about the host's number are rewritten with it, and a rule that allows the guest's is added.
 * @throws INTERNAL for a path without a device, and for two devices of the guest behind one of the host.
 */
export function withGuestNodes(spec: OciSpec, placed: readonly PlacedNode[]): OciSpec {
  if (placed.length === 0) return spec;
  const nodes = new Map(placed.map(({ containerPath, node }) => [containerPath, node]));
  const moved = new Map<string, GuestNode>();
  const devices = (spec.linux?.devices ?? []).map((device) => {
    const node = nodes.get(device.path);
    if (node === undefined) return device;
    nodes.delete(device.path);
    remember(moved, device, node);
    const { major, minor } = node;
    return { ...device, path: node.path ?? device.path, major: BigInt(major), minor: BigInt(minor) };
  });
  if (nodes.size > 0) throw new AgentError(Code.internal, "a device of the request is missing in the spec");
  const rules = (spec.linux?.resources?.devices ?? []).map((rule) => rewritten(rule, moved));
  const allowed = placed.map(({ node }) => allowing(node));
  return {
    ...spec,
    linux: {
      ...spec.linux,
      devices,
      resources: { ...spec.linux?.resources, devices: [...rules, ...allowed] },
    },
  };
}

function remember(moved: Map<string, GuestNode>, device: OciDevice, node: GuestNode): void {
  const key = keyOf(device);
  const other = moved.get(key);
  if (other !== undefined && (other.major !== node.major || other.minor !== node.minor)) {
    throw new AgentError(Code.internal, "one device of the host is two devices of the guest");
  }
  moved.set(key, node);
}

function rewritten(rule: OciDeviceRule, moved: ReadonlyMap<string, GuestNode>): OciDeviceRule {
  const node = moved.get(keyOf(rule));
  return node === undefined ? rule : { ...rule, major: BigInt(node.major), minor: BigInt(node.minor) };
}

/** A rule that lets the container read, write and make the node. */
function allowing({ type, major, minor }: GuestNode): OciDeviceRule {
  return { allow: true, type, major: BigInt(major), minor: BigInt(minor), access: "rwm" };
}

function keyOf({ type, major, minor }: OciDevice | OciDeviceRule): string {
  return `${type} ${major}:${minor}`;
}
