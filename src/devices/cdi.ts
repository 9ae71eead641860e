/**
 * Primer. The Container Device Interface: a program of the guest (a GPU's toolkit) writes down what a container needs
 * to use a device, and the container names the device. The specification may come after the container's request, since
 * the program starts with the guest; so one asks again every second for as long as the guest allows. A device that its
 * own kind does not have will not come, and is refused at once.
 */
import { setTimeout as pause } from "node:timers/promises";
import { AgentError } from "../base/agent-error.ts";
import { Code } from "../base/code.ts";
import type { Log } from "../base/log.ts";
import type { OciSpec } from "../runtime/oci.ts";
import { span } from "../trace/span.ts";
import type { CdiDocument } from "./cdi-document.ts";
import { applyCdiEdits } from "./cdi-edits.ts";
import { readCdiFolder } from "./cdi-folder.ts";
import { type CdiName, requestedCdiDevices } from "./cdi-names.ts";

/**
 * `folder`: where specifications lie. `timeoutMs`: how long they may take to come. `fromEnvironment`: whether a
 * container may ask by a variable of its own.
 */
export type CdiOptions = {
  folder: string;
  timeoutMs: number;
  fromEnvironment: boolean;
  log: Log;
  retryMs?: number;
};

const defaultRetryMs = 1000;
const typeAnnotation = "io.katacontainers.pkg.oci.container_type";

/**
 * Puts the CDI devices that a container asks for into its document (agent-api 3.3.5). The pod's own container gets none.
 * @throws INTERNAL for a bad name, a device that its kind does not have, or when the time is over; the reason of `signal`.
 */
export async function injectCdi(spec: OciSpec, options: CdiOptions, signal: AbortSignal): Promise<OciSpec> {
  if (spec.annotations?.[typeAnnotation] === "pod_sandbox") return spec;
  const wanted = requestedCdiDevices(spec, options.fromEnvironment);
  if (wanted.length === 0) return spec;
  return span("cdi", { "kata.device.count": wanted.length }, () => inject(spec, wanted, options, signal));
}

async function inject(
  spec: OciSpec,
  wanted: readonly CdiName[],
  { folder, timeoutMs, log, retryMs = defaultRetryMs }: CdiOptions,
  signal: AbortSignal,
): Promise<OciSpec> {
  const untilMs = performance.now() + timeoutMs;
  for (;;) {
    const { documents, unusable } = await readCdiFolder(folder);
    const chosen = wanted.map((name) => documentOf(documents, name));
    if (chosen.every((document) => document !== undefined)) return applied(spec, wanted, chosen);
    if (performance.now() + retryMs > untilMs) {
      for (const one of unusable) log.warn(one, "a CDI specification cannot be used");
      throw new AgentError(Code.internal, `CDI devices did not come within ${timeoutMs} ms`);
    }
    await pause(retryMs, undefined, { signal }).catch(() => signal.throwIfAborted());
  }
}

/** The document with that device; undefined while there is none of its kind. */
function documentOf(documents: readonly CdiDocument[], { kind, name }: CdiName): CdiDocument | undefined {
  const ofKind = documents.filter((document) => document.kind === kind);
  const [chosen, ...rivals] = ofKind.filter(({ devices }) => devices.has(name));
  if (rivals.length > 0) throw new AgentError(Code.internal, "two CDI specifications claim the same device");
  if (chosen === undefined && ofKind.length > 0) {
    throw new AgentError(Code.internal, `CDI device ${kind}=${name} does not exist, though its kind does`);
  }
  return chosen;
}

/** The edits of a document are made once, before those of its first device. */
async function applied(
  spec: OciSpec,
  wanted: readonly CdiName[],
  documents: readonly CdiDocument[],
): Promise<OciSpec> {
  let edited = spec;
  const seen = new Set<CdiDocument>();
  for (const [index, document] of documents.entries()) {
    const device = document.devices.get(wanted[index]?.name ?? "");
    if (!seen.has(document)) edited = await applyCdiEdits(edited, document.edits);
    if (device !== undefined) edited = await applyCdiEdits(edited, device);
    seen.add(document);
  }
  return edited;
}
