import { AgentServiceMethods } from "../../gen/methods.ts";
import type { SpanData, SpanDataAttribute } from "../../wire/span-data.ts";

/**
 * Mends one span of upstream's agents as it passes (wire-and-tracing 6, 7.7): what the agent put there by printing its
 * arguments, whole requests among them, stays behind; names become those of the conventions of today.
 *
 * This is an allow-list: texts pass only under the keys named here, so a request cannot hide under another argument's
 * name. Numbers and truth values pass as they are. What stays behind is counted in `droppedAttributes`.
 */

const internal = 1;
const server = 2;
const remotenessKnown = 0x100;
const isRemote = 0x200;

/** Old key → key of today, for texts and numbers that may pass. */
export const passingKeys: ReadonlyMap<string, string> = new Map([
  ["code.filepath", "code.file.path"],
  ["code.lineno", "code.line.number"],
  ["thread.id", "thread.id"],
  ["thread.name", "thread.name"],
  ["busy_ns", "kata.busy_ns"],
  ["idle_ns", "kata.idle_ns"],
]);
/** With the span's name it makes `code.function.name`. */
export const namespaceKey = "code.namespace";
/** The printed request of a call, or of a function below it. */
export const requestKey = "req";
/** Keys of events whose texts are the program's own. */
const eventKeys: ReadonlySet<string> = new Set(["level", "target"]);
/** Upstream's name of a handler, letters only → the method's name on the wire. */
const methods: ReadonlyMap<string, string> = new Map([
  ...Object.keys(AgentServiceMethods).map((name) => [name.toLowerCase(), name] as const),
  ["updatemounts", "UpdateEphemeralMounts"],
]);
const service = "grpc.AgentService";
/** Handlers' names that were looked up, at most so many: names come from guests. */
const maxNames = 1024;
const names = new Map<string, string | undefined>();
/** The container that a printed request is about: only where the message begins with it, so that no text can pose as it. */
const containerInRequest = /^\w+ \{ container_id: "([A-Za-z0-9][A-Za-z0-9_.-]{1,254})"/;
/** So far into a printed request a container's id is looked for. */
export const printedPrefixChars = 400;

/** Keys of a span's attributes whose texts are looked at here; all others stay behind unread. */
export const wantedTexts: ReadonlySet<string> = new Set([...passingKeys.keys(), namespaceKey, requestKey]);

/** Changes the span into what may go out; its flags are OTLP's then: W3C bits, and what is known of the parent. */
export function mendSpan(span: SpanData): void {
  const namespace = textOf(span, namespaceKey);
  const label = labelOf(span.name, namespace, span.kind);
  const request = textOf(span, requestKey)?.slice(0, printedPrefixChars);
  const container = request === undefined ? undefined : containerInRequest.exec(request)?.[1];
  const before = span.attributes.length;
  const attributes = passing(span.attributes);
  span.droppedAttributes += before - attributes.length - (namespace === undefined ? 0 : 1);
  attributes.push(...label.attributes);
  if (container !== undefined) attributes.push(textAttribute("container.id", container));
  span.attributes = attributes;
  for (const event of span.events) event.attributes = event.attributes.filter(passesInEvent);
  span.flags = flagsOf(span.flags, span.parentSpanId.length > 0, label.isCall);
  span.name = label.name;
  span.kind = label.kind;
}

/** What a span is called, and what it is. */
export type SpanLabel = {
  readonly name: string;
  readonly kind: number;
  /** What the name and its namespace say. */
  readonly attributes: readonly SpanDataAttribute[];
  /** The span of a call from the host. */
  readonly isCall: boolean;
};

/** What becomes of a span's name, namespace and kind. */
export function labelOf(name: string, namespace: string | undefined, kind: number): SpanLabel {
  const method = methodOf(kind, name, namespace);
  const attributes: SpanDataAttribute[] = [];
  if (namespace !== undefined) attributes.push(textAttribute("code.function.name", `${namespace}::${name}`));
  if (method === undefined) return { name, kind, attributes, isCall: false };
  attributes.push(textAttribute("rpc.system.name", "ttrpc"), textAttribute("rpc.method", method));
  return { name: method, kind: server, attributes, isCall: true };
}

/** The flags in OTLP. A call's parent, where it has one, came with the call from the host. */
export function flagsOf(flags: number, hasParent: boolean, isCall: boolean): number {
  if (!hasParent) return flags | remotenessKnown;
  return isCall ? flags | remotenessKnown | isRemote : flags;
}

function textAttribute(key: string, value: string): SpanDataAttribute {
  return { key, value: { type: "string", value } };
}

function passing(attributes: readonly SpanDataAttribute[]): SpanDataAttribute[] {
  const passed: SpanDataAttribute[] = [];
  for (const attribute of attributes) {
    const key = passingKeys.get(attribute.key);
    if (key !== undefined) passed.push({ key, value: attribute.value });
    else if (isPlain(attribute)) passed.push(attribute);
  }
  return passed;
}

/** Numbers and truth values hold no request. */
function isPlain({ value: { type } }: SpanDataAttribute): boolean {
  return type === "int" || type === "double" || type === "bool";
}

function passesInEvent(attribute: SpanDataAttribute): boolean {
  return eventKeys.has(attribute.key) || isPlain(attribute);
}

/** The full name of the call, when the span is a call's own: made in `rpc.rs`, and not one of the functions below it. */
function methodOf(kind: number, name: string, namespace: string | undefined): string | undefined {
  if (kind !== internal || namespace !== "kata_agent::rpc") return undefined;
  if (names.has(name)) return names.get(name);
  const method = methods.get(name.replaceAll("_", ""));
  const full = method === undefined ? undefined : `${service}/${method}`;
  if (names.size < maxNames) names.set(name, full);
  return full;
}

function textOf({ attributes }: SpanData, key: string): string | undefined {
  for (const { key: each, value } of attributes)
    if (each === key) return value.type === "string" ? value.value : undefined;
  return undefined;
}
