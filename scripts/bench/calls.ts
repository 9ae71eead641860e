import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { script } from "./process.ts";
import { type Row, row, rowBeside } from "./row.ts";
import { median } from "./samples.ts";
import type { Effort } from "./shape.ts";

/** What the load client reports. */
export type Load = { perSecond: number; p50Us: number; p99Us: number };
type Shape = { readonly connections: number; readonly outstanding: number };
/** Who answers: a socket, and whether the calls carry a traceparent. */
type Target = { readonly socket: string; readonly traced: boolean };
/** Those who are compared; `unheard` traces to a receiver that is not there. */
export type Targets = {
  readonly echo: Target;
  readonly agent: Target;
  readonly traced: Target;
  readonly unheard: Target;
};
const everybody = ["echo", "agent", "traced", "unheard"] as const;

const alone: Shape = { connections: 1, outstanding: 1 };
const deep: Shape = { connections: 1, outstanding: 64 };
const wide: Shape = { connections: 8, outstanding: 8 };
const run = promisify(execFile);
/** The Go client, where it could be built. */
const { KATA_BENCH_CLIENT: client = "" } = process.env;

/** Calls Health.Check in that shape for so long, from a process of its own. */
async function load(target: Target, shape: Shape, seconds: number): Promise<Load> {
  const { connections, outstanding } = shape;
  if (client === "") {
    const args = [target.socket, connections, outstanding, seconds, ...(target.traced ? ["traced"] : [])];
    const { stdout } = await run(process.execPath, [script("load.ts"), ...args.map(String)]);
    return JSON.parse(stdout);
  }
  const numbers = Object.entries({ connections, outstanding, seconds });
  const args = numbers.flatMap(([name, value]) => [`-${name}`, String(value)]);
  const { stdout } = await run(client, ["-address", target.socket, ...args, `-traced=${target.traced}`]);
  const { errors, per_second, p50_us, p99_us } = JSON.parse(stdout);
  if (errors > 0) throw new Error(`${errors} of the calls failed`);
  return { perSecond: per_second, p50Us: p50_us, p99Us: p99_us };
}

/** One call after the other, as a prober makes them. */
const probe = (target: Target, seconds: number): Promise<Load> => load(target, alone, seconds);

/** Latency and throughput of Check, untraced and traced, beside the bare echo; all by turns. */
export async function callRows(targets: Targets, effort: Effort): Promise<Row[]> {
  const one = await byTurns(targets, alone, effort);
  const onOne = await byTurns(targets, deep, effort);
  const onEight = await byTurns(targets, wide, effort);
  const rate = (name: string, loads: Turns, who: keyof Targets, target: string) =>
    rowBeside(name, "/s", of(loads[who], "perSecond"), "frame echo", of(loads.echo, "perSecond"), target);
  const latency = (name: string, who: keyof Targets, figure: "p50Us" | "p99Us", target: string) =>
    rowBeside(name, "µs", of(one[who], figure), "frame echo", of(one.echo, figure), target);
  return [
    latency("Check, one at a time, p50", "agent", "p50Us", "≤ 1.1"),
    latency("Check, one at a time, p99", "agent", "p99Us", "≤ 1.1"),
    latency("Check, one at a time, traced, p50", "traced", "p50Us", ""),
    rate("Check, 64 outstanding", onOne, "agent", "≥ 0.65"),
    rate("Check, 64 outstanding, traced", onOne, "traced", "≥ 0.32"),
    rate("Check, 64 outstanding, traced, nobody receives", onOne, "unheard", ""),
    rate("Check, 8 connections × 8", onEight, "agent", "≥ 0.63"),
    rate("Check, 8 connections × 8, traced", onEight, "traced", ""),
  ];
}

/** What spans cost in memory that nobody takes: after the calls so far, and after at least 100,000 more. */
export async function unheardRows(target: Target, rssAnon: () => number, seconds: number): Promise<Row[]> {
  const name = "RssAnon, traced, nobody receives";
  const before = rssAnon();
  let calls = 0;
  while (calls < 100_000) calls += (await load(target, deep, seconds)).perSecond * seconds;
  return [rowBeside(`${name}, 100,000 calls later`, "MB", rssAnon(), "before", before, "flat")];
}

/** How long a Check takes while the rest of the agent is busy with lives, beside a container that stands still. */
export async function busyRow(target: Target, busy: Promise<unknown>, seconds: number): Promise<Row> {
  const [{ p99Us }] = await Promise.all([probe(target, seconds), busy]);
  return row(
    "Check p99 while 10 containers start and stop beside a frozen one",
    "ms",
    p99Us / 1000,
    "≤ 20 ms",
  );
}

type Turns = Record<keyof Targets, readonly Load[]>;

async function byTurns(targets: Targets, shape: Shape, { rounds, seconds }: Effort): Promise<Turns> {
  const loads: { [Who in keyof Targets]: Load[] } = { echo: [], agent: [], traced: [], unheard: [] };
  for (let round = 0; round < rounds; round += 1) {
    for (const who of everybody) {
      loads[who].push(await load(targets[who], shape, seconds));
    }
  }
  return loads;
}

const of = (loads: readonly Load[], figure: keyof Load): number => median(loads.map((each) => each[figure]));
