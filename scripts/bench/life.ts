import type { Life, Runtime } from "./client.ts";
import type { BareCrun } from "./crun.ts";
import { type Row, row, rowBeside } from "./row.ts";
import { median, percentile, ratePerSecond, timed } from "./samples.ts";
import type { Effort } from "./shape.ts";

/** Who is compared: an agent, one that traces, and crun without any. */
export type Lives = { readonly agent: Runtime; readonly traced: Runtime; readonly crun: BareCrun };

/** Life cycles of `true`, one at a time by turns, then eight at once. */
export async function lifeRows(lives: Lives, { cycles, seconds }: Effort): Promise<Row[]> {
  const [bare, agent, traced]: [number[], Life[], Life[]] = [[], [], []];
  // Whoever comes next pays for what the kernel still clears away after a container, so the order changes.
  const turns = [
    async () => bare.push(await lives.crun.life()),
    async () => agent.push(await lives.agent.life()),
    async () => traced.push(await lives.traced.life()),
  ];
  for (let turn = 0; turn < cycles * turns.length; turn += 1) {
    await turns[(turn + Math.floor(turn / turns.length)) % turns.length]?.();
  }
  const part = (name: keyof Life) => row(`  ${name}, p50`, "ms", median(agent.map((life) => life[name])), "");
  const all = agent.map(({ all }) => all);
  const tracedAll = traced.map(({ all }) => all);
  const crunAtOnce = await ratePerSecond(8, seconds * 2, () => lives.crun.life());
  const agentAtOnce = await ratePerSecond(8, seconds * 2, () => lives.agent.life());
  return [
    rowBeside("create→start→wait→remove, p50", "ms", median(all), "crun alone", median(bare), "≤ 1.2"),
    part("create"),
    part("start"),
    part("wait"),
    part("remove"),
    rowBeside(
      "create→start→wait→remove, p99",
      "ms",
      percentile(all, 0.99),
      "crun alone",
      percentile(bare, 0.99),
      "≤ 20 ms",
    ),
    rowBeside("the same, traced, p50", "ms", median(tracedAll), "untraced", median(all), "≤ 1.03"),
    rowBeside("8 life cycles at once", "/s", agentAtOnce, "crun alone", crunAtOnce, "≥ 130/s"),
  ];
}

/** Exec of `true` to its end in the running container `container` of the agent. */
export async function execRows(lives: Lives, container: string, { cycles }: Effort): Promise<Row[]> {
  const [bare, agent]: [number[], number[]] = [[], []];
  for (let cycle = 0; cycle < cycles; cycle += 1) {
    bare.push(await lives.crun.exec(container));
    agent.push(await timed(() => lives.agent.exec(container)));
  }
  return [
    rowBeside("exec of `true` and wait, p50", "ms", median(agent), "crun alone", median(bare), "≤ 1.25"),
  ];
}
