// Forwarders on one machine behind a gateway of real OpenTelemetry Collectors, as docs/scale.md tells:
//   node scripts/cluster/scale.ts [nodes, default 50] [sandboxes on each, default 4]
// Prints what each part costs and writes build/scale.json. Ends with an error when a span is lost or comes twice, or when
// a trace is split.
import { mkdirSync, writeFileSync } from "node:fs";
import { cpus, totalmem } from "node:os";
import { join } from "node:path";
import type { Cost } from "../measured.ts";
import { noGateway } from "./gateway.ts";
import { runScale, type ScaleResult } from "./scale-run.ts";

const plan = { nodes: Number(process.argv[2] ?? 50), sandboxes: Number(process.argv[3] ?? 4), idleS: 30 };
const build = join(import.meta.dirname, "../../build");

function mean(costs: readonly Cost[], key: keyof Cost): number {
  return costs.reduce((sum, cost) => sum + cost[key], 0) / costs.length;
}

function report(result: ScaleResult): string[] {
  const { started, idle, ended, gateway, gatewayStarted, sent } = result;
  const idleCpu = (mean(idle, "cpuS") - mean(started, "cpuS")) / plan.idleS;
  const perMillion = ((mean(ended, "cpuS") - mean(idle, "cpuS")) * plan.nodes * 1e6) / sent;
  const worst = Math.max(...ended.map(({ peakMb }) => peakMb));
  return [
    `${plan.nodes} forwarders, ${result.traces} traces, ${sent} spans, ${result.sendingS.toFixed(1)} s until the last arrived`,
    `missing ${result.missing}, repeated ${result.repeated}, split traces ${result.split}, by sampler ${JSON.stringify(result.shares)}`,
    `a forwarder: start ${mean(started, "cpuS").toFixed(2)} CPU-s, idle ${(idleCpu * 1000).toFixed(1)} millicores`,
    `a forwarder: idle ${mean(idle, "residentMb").toFixed(0)} MB, peak ${mean(ended, "peakMb").toFixed(0)} MB (worst ${worst.toFixed(0)} MB)`,
    `a forwarder: ${perMillion.toFixed(1)} CPU-s per million spans, 10 per request`,
    ...Object.entries(gateway).map(([name, cost]) => {
      const used = cost.cpuS - (gatewayStarted[name]?.cpuS ?? 0);
      const mb = `${gatewayStarted[name]?.residentMb.toFixed(0)} MB at its start, peak ${cost.peakMb.toFixed(0)} MB`;
      return `${name}: ${((used * 1e6) / sent).toFixed(1)} CPU-s per million spans of all, ${mb}`;
    }),
  ];
}

const reason = noGateway();
if (reason === false) {
  const result = await runScale(plan);
  const machine = { cpu: cpus()[0]?.model, cores: cpus().length, memoryMb: Math.round(totalmem() / 2 ** 20) };
  mkdirSync(build, { recursive: true });
  writeFileSync(join(build, "scale.json"), `${JSON.stringify({ machine, plan, result }, undefined, 2)}\n`);
  process.stdout.write(`${report(result).join("\n")}\n`);
  if (result.missing + result.repeated + result.split > 0) process.exitCode = 1;
} else {
  process.stdout.write(`${reason} (scripts/backends.ts gets it)\n`);
  process.exitCode = 1;
}
