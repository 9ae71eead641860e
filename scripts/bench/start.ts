import { join } from "node:path";
import { HealthMethods } from "../../src/gen/methods.ts";
import { clientOf } from "../../src/rpc/client.ts";
import { createTtrpcClient } from "../../src/rpc/ttrpc/client.ts";
import { dial } from "../../src/vsock/dial.ts";
import { built, Server } from "./process.ts";
import { type Row, row, rowBeside } from "./row.ts";
import { median } from "./samples.ts";
import type { Effort } from "./shape.ts";

const startsPerRound = 4;
/** As little as Node can do with a socket. */
const listener = "require('net').createServer().listen(process.argv[1])";

/** Starts plain Node with a socket that listens. */
export const startBareNode = (socket: string): Promise<Server> =>
  Server.start(socket, [process.execPath, "-e", listener, socket]);

/** Starts the agent as an ordinary process. `traceSocket`: where the forwarder listens; absent = tracing off. */
export function startAgent(socket: string, traceSocket?: string): Promise<Server> {
  const tracing = { KATA_AGENT_TRACING: "collated", KATA_AGENT_TRACE_ADDR: `unix://${traceSocket}` };
  const env = { KATA_AGENT_SERVER_ADDR: `unix://${socket}`, ...(traceSocket === undefined ? {} : tracing) };
  // Its own /run, so that two agents do not meet.
  const argv = [built("kata-agent")];
  const alone = ["unshare", "--mount", "sh", "-c", 'mount -t tmpfs tmpfs /run && exec "$0"', ...argv];
  return Server.start(socket, traceSocket === undefined ? argv : alone, env);
}

/** From exec to the first answered Check, beside plain Node from exec to listening. */
export async function startRows(dir: string, { rounds }: Effort): Promise<Row[]> {
  const [bare, agent]: [number[], number[]] = [[], []];
  for (let start = 0; start < rounds * startsPerRound; start += 1) {
    bare.push(await bareStart(join(dir, `bare-${start}.sock`)));
    agent.push(await agentStart(join(dir, `start-${start}.sock`)));
  }
  const [ours, node] = [median(agent), median(bare)];
  return [
    rowBeside("start to first Check", "ms", ours, "bare Node to listening", node, "bare Node + 15 ms"),
    row("  more than bare Node", "ms", ours - node, "≤ 15 ms"),
  ];
}

async function bareStart(socket: string): Promise<number> {
  await using node = await startBareNode(socket);
  return node.listeningMs;
}

async function agentStart(socket: string): Promise<number> {
  await using agent = await startAgent(socket);
  const startMs = performance.now();
  const stream = await dial({ kind: "unix", path: socket }, { timeoutMs: 1000 });
  await using client = createTtrpcClient(stream);
  await clientOf(client, HealthMethods).Check({ service: "" });
  return agent.listeningMs + (performance.now() - startMs);
}

/** Memory of an agent that does nothing, untraced and traced, beside plain Node that does nothing. */
export function memoryRows(bare: Server, agent: Server, traced: Server): Row[] {
  const [node, off, on] = [bare.memory(), agent.memory(), traced.memory()];
  const beside = "bare Node";
  return [
    rowBeside("idle RssAnon", "MB", off.rssAnon, beside, node.rssAnon, "≤ 13 MB"),
    rowBeside("idle RssAnon, traced", "MB", on.rssAnon, beside, node.rssAnon, "≤ 18 MB"),
    rowBeside("idle Pss", "MB", off.pss, beside, node.pss, "≤ 46 MB"),
    rowBeside("idle Pss, traced", "MB", on.pss, beside, node.pss, ""),
    rowBeside("idle Rss", "MB", off.rss, beside, node.rss, ""),
    rowBeside("idle Rss, traced", "MB", on.rss, beside, node.rss, ""),
  ];
}
