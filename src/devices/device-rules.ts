/**
 * Which devices a container may open or make (agent-api 5.6, 10.1): what is not allowed is denied.
 *
 * Both runtimes clear the rules of every container before they send it, also the "all devices" of a privileged one. So
 * a container without rules of its own that has CAP_SYS_ADMIN is taken for privileged and is not restricted; what it may
 * do with that right already goes further than any node.
 */
import type { OciDevice, OciDeviceRule, OciSpec } from "../runtime/oci.ts";

const all = (access: string, type: "b" | "c"): OciDeviceRule => ({ allow: true, type, access });
const char = (major: bigint, minor?: bigint): OciDeviceRule => {
  return { allow: true, type: "c", major, ...(minor === undefined ? {} : { minor }), access: "rwm" };
};

/** Making nodes, the harmless devices, terminals, and tun. */
const defaults: readonly OciDeviceRule[] = [
  all("m", "c"),
  all("m", "b"),
  char(1n, 3n),
  char(1n, 5n),
  char(1n, 7n),
  char(1n, 8n),
  char(1n, 9n),
  char(5n, 0n),
  char(5n, 1n),
  char(5n, 2n),
  char(10n, 200n),
  char(136n),
];

/**
 * The whole list for the control group of a container, from its document as it will run and the rules that came with
 * the request; undefined for one that is not to be restricted.
 */
export function deviceRules(
  { process, linux }: OciSpec,
  sent: readonly OciDeviceRule[],
): OciDeviceRule[] | undefined {
  const privileged = process?.capabilities?.bounding?.includes("CAP_SYS_ADMIN") === true;
  if (sent.some(allowsAll) || (privileged && sent.length === 0)) return undefined;
  return [
    { allow: false, access: "rwm" },
    ...defaults,
    ...(linux?.devices ?? []).flatMap(ofDevice),
    ...(linux?.resources?.devices ?? []).filter(isSpecific),
  ];
}

function allowsAll(rule: OciDeviceRule): boolean {
  const everything = rule.major === undefined && rule.minor === undefined;
  return rule.allow && everything && !isSpecific(rule) && (rule.access ?? "rwm") === "rwm";
}

function isSpecific({ type }: OciDeviceRule): boolean {
  return type === "b" || type === "c";
}

/** A character device may also be called `u`; a pipe is no device to the kernel. */
function ofDevice({ type, major = 0n, minor = 0n }: OciDevice): OciDeviceRule[] {
  if (type === "p") return [];
  return [{ allow: true, type: type === "b" ? "b" : "c", major, minor, access: "rwm" }];
}
