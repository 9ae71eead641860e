import { AgentError } from "../base/agent-error.ts";
import { Code } from "../base/code.ts";
import type { OciSpec } from "../runtime/oci.ts";

/** A device as CDI names it: `vendor.com/class=name`; what stands before `=` is its kind. */
export type CdiName = { readonly kind: string; readonly name: string };

const annotationPrefix = "cdi.k8s.io/";
const variable = "VISIBLE_CDI_DEVICES=";
const vendor = "[A-Za-z](?:[\\w.-]*[A-Za-z0-9])?";
const deviceClass = "[A-Za-z](?:[\\w-]*[A-Za-z0-9])?";
const device = "[A-Za-z0-9](?:[\\w.:-]*[A-Za-z0-9])?";
const kindText = new RegExp(`^${vendor}/${deviceClass}$`);
const nameText = new RegExp(`^${device}$`);
/** More devices than any machine has. */
const maxDevices = 1024;

/** Whether `text` is the kind of a device, `vendor.com/class` (CDI specification, "Kind"). */
export function isCdiKind(text: string): boolean {
  return kindText.test(text);
}

/** Whether `text` may name a device within its kind (CDI specification, "Devices"). */
export function isCdiDevice(text: string): boolean {
  return nameText.test(text);
}

/**
 * The CDI devices that a container asks for, each once: those of its annotations `cdi.k8s.io/*` and, where the guest
 * allows it, those of its variable VISIBLE_CDI_DEVICES (agent-api 3.3.5). @throws INTERNAL for what is no such name.
 */
export function requestedCdiDevices(spec: OciSpec, fromEnvironment: boolean): CdiName[] {
  const annotated = Object.entries(spec.annotations ?? {})
    .filter(([key]) => key.startsWith(annotationPrefix))
    .flatMap(([, value]) => value.split(","))
    .map(qualified);
  const visible = fromEnvironment ? visibleDevices(spec.process?.env ?? []) : [];
  const unique = new Map([...annotated, ...visible].map((one) => [`${one.kind}=${one.name}`, one]));
  if (unique.size > maxDevices) throw new AgentError(Code.internal, "too many CDI devices");
  return [...unique.values()];
}

function qualified(text: string): CdiName {
  const [kind = "", name = "", ...rest] = text.split("=");
  if (rest.length > 0 || !isCdiKind(kind) || !isCdiDevice(name)) {
    throw new AgentError(Code.internal, "a CDI annotation does not hold vendor/class=device names");
  }
  return { kind, name };
}

/** `kind=0,1:kind=all`; empty, `none` and `void` ask for nothing. */
function visibleDevices(env: readonly string[]): CdiName[] {
  const value = env
    .find((entry) => entry.startsWith(variable))
    ?.slice(variable.length)
    .trim();
  if (value === undefined || value === "" || value === "none" || value === "void") return [];
  return value.split(":").flatMap((entry) => visibleEntry(entry.trim()));
}

function visibleEntry(entry: string): CdiName[] {
  const at = entry.indexOf("=");
  const kind = entry.slice(0, Math.max(at, 0)).trim();
  const names = entry
    .slice(at + 1)
    .split(",")
    .map((name) => name.trim());
  const all = names.length === 1 && names[0] === "all";
  if (!isCdiKind(kind) || !(all || names.every((name) => /^\d{1,9}$/.test(name)))) {
    throw new AgentError(Code.internal, "VISIBLE_CDI_DEVICES is not a list of kind=index,index or kind=all");
  }
  return names.map((name) => ({ kind, name: all ? name : String(Number(name)) }));
}
