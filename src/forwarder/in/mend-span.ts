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
const keys: ReadonlyMap<string, string> = new Map([
  ["code.filepath", "code.file.path"],
  ["code.lineno", "code.line.number"],
  ["thread.id", "thread.id"],
  ["thread.name", "thread.name"],
  ["busy_ns", "kata.busy_ns"],
  ["idle_ns", "kata.idle_ns"],
]);
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
const printedPrefixChars = 400;

/** Keys of a span's attributes whose texts are looked at here; all others stay behind unread. */
export const wantedTexts: ReadonlySet<string> = new Set([...keys.keys(), "code.namespace", "req"]);

/** Changes the span into what may go out; its flags are OTLP's then: W3C bits, and what is known of the parent. */
export function mendSpan(span: SpanData): void {
  const namespace = textOf(span, "code.namespace");
  const method = methodOf(span, namespace);
  const request = textOf(span, "req")?.slice(0, printedPrefixChars);
  const before = span.attributes.length;
  const attributes = passing(span.attributes);
  const passed = attributes.length;
  addOwn(attributes, span.name, namespace, method, request);
  span.attributes = attributes;
  span.droppedAttributes += before - passed - (namespace === undefined ? 0 : 1);
  for (const event of span.events) event.attributes = event.attributes.filter(passesInEvent);
  span.flags = flagsOf(span, method !== undefined);
  if (method === undefined) return;
  span.name = method;
  span.kind = server;
}

function passing(attributes: readonly SpanDataAttribute[]): SpanDataAttribute[] {
  const passed: SpanDataAttribute[] = [];
  for (const attribute of attributes) {
    const key = keys.get(attribute.key);
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

function addOwn(
  to: SpanDataAttribute[],
  name: string,
  namespace: string | undefined,
  method: string | undefined,
  request: string | undefined,
): void {
  const add = (key: string, value: string) => to.push({ key, value: { type: "string", value } });
  if (namespace !== undefined) add("code.function.name", `${namespace}::${name}`);
  if (method !== undefined) {
    add("rpc.system.name", "ttrpc");
    add("rpc.method", method);
  }
  const container = request === undefined ? null : containerInRequest.exec(request);
  if (container?.[1] !== undefined) add("container.id", container[1]);
}

/** The full name of the call, when the span is a call's own: made in `rpc.rs`, and not one of the functions below it. */
function methodOf({ kind, name }: SpanData, namespace: string | undefined): string | undefined {
  if (kind !== internal || namespace !== "kata_agent::rpc") return undefined;
  if (names.has(name)) return names.get(name);
  const method = methods.get(name.replaceAll("_", ""));
  const full = method === undefined ? undefined : `${service}/${method}`;
  if (names.size < maxNames) names.set(name, full);
  return full;
}

/** A call's parent, where it has one, came with the call from the host. */
function flagsOf({ flags, parentSpanId }: SpanData, isCall: boolean): number {
  if (parentSpanId.length === 0) return flags | remotenessKnown;
  return isCall ? flags | remotenessKnown | isRemote : flags;
}

function textOf({ attributes }: SpanData, key: string): string | undefined {
  for (const { key: each, value } of attributes)
    if (each === key) return value.type === "string" ? value.value : undefined;
  return undefined;
}
