import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import type { Cost } from "../measured.ts";
import { type Gateway, startGateway } from "./gateway.ts";
import { ScaleNode, type SentTrace, spansPerTrace } from "./scale-node.ts";
import { ScaleSink } from "./scale-sink.ts";

const samplers = 2;
const arrivalLimitMs = 240_000;
const pollMs = 200;

/** What to run. */
export type ScalePlan = {
  readonly nodes: number;
  /** On each node, a trace each. */
  readonly sandboxes: number;
  /** How long to look at what nodes cost that have nothing to do; 0: not at all. */
  readonly idleS: number;
};

/** What came of it. */
export type ScaleResult = {
  readonly sent: number;
  readonly traces: number;
  /** Spans that never came, and spans that came more than once. */
  readonly missing: number;
  readonly repeated: number;
  /** Traces whose spans did not all come from one sampler. */
  readonly split: number;
  /** Traces by sampler. */
  readonly shares: Readonly<Record<string, number>>;
  /** Of each node's forwarder: after its start, after an idle while, and at the end. */
  readonly started: readonly Cost[];
  readonly idle: readonly Cost[];
  readonly ended: readonly Cost[];
  /** Of the Collectors, before the first span and after the last. */
  readonly gatewayStarted: Readonly<Record<string, Cost>>;
  readonly gateway: Readonly<Record<string, Cost>>;
  readonly sendingS: number;
};

/** Forwarders on one machine that send to a gateway of real Collectors, until all has arrived or time is up. */
export async function runScale(plan: ScalePlan): Promise<ScaleResult> {
  await using undo = new AsyncDisposableStack();
  const folder = mkdtempSync(join(tmpdir(), "kata-scale-"));
  undo.defer(() => rmSync(folder, { recursive: true, force: true }));
  const sink = new ScaleSink();
  const backend = await sink.open();
  undo.defer(() => sink.close());
  const gateway = await startGateway(backend, samplers);
  undo.defer(() => gateway.close());
  const nodes: ScaleNode[] = [];
  undo.defer(async () => {
    for (const { forwarder } of nodes) await forwarder.stop();
  });
  for (let i = 0; i < plan.nodes; i++)
    nodes.push(await ScaleNode.start(join(folder, String(i)), gateway.url));

  const costs = () => nodes.map(({ forwarder }) => forwarder.cost());
  const started = costs();
  await pause(plan.idleS * 1000);
  const idle = costs();
  const gatewayStarted = gatewayCosts(gateway);
  const startMs = performance.now();
  const sent = (await Promise.all(nodes.map((node) => node.send(plan.sandboxes)))).flat();
  await arrived(sink, sent.length * spansPerTrace);
  const sendingS = (performance.now() - startMs) / 1000;
  return {
    ...judged(sink, sent),
    started,
    idle,
    ended: costs(),
    gatewayStarted,
    gateway: gatewayCosts(gateway),
    sendingS,
  };
}

/** Resolves when this many spans are there, or when time is up: what is missing is told by the result. */
async function arrived(sink: ScaleSink, count: number): Promise<void> {
  const untilMs = performance.now() + arrivalLimitMs;
  while (sink.spans.size < count && performance.now() < untilMs) await pause(pollMs);
}

function judged({ spans, samplers }: ScaleSink, sent: readonly SentTrace[]) {
  const times = sent.flatMap(({ spans: ids }) => ids.map((id) => spans.get(id) ?? 0));
  const shares: Record<string, number> = {};
  for (const { trace } of sent)
    for (const sampler of samplers.get(trace) ?? []) shares[sampler] = (shares[sampler] ?? 0) + 1;
  return {
    sent: times.length,
    traces: sent.length,
    missing: times.filter((count) => count === 0).length,
    repeated: times.filter((count) => count > 1).length,
    split: sent.filter(({ trace }) => samplers.get(trace)?.size !== 1).length,
    shares,
  };
}

function gatewayCosts({ programs }: Gateway): Record<string, Cost> {
  return Object.fromEntries(Object.entries(programs).map(([name, program]) => [name, program.cost()]));
}
