import { test } from "tap";
import { impatience, needsRoot, startAgent } from "../fakes/real-agent.ts";

/** The values of a text by name and labels. */
function parse(text: string): Map<string, number> {
  const lines = text.split("\n").filter((line) => line !== "" && !line.startsWith("#"));
  return new Map(
    lines.map((line) => [line.slice(0, line.lastIndexOf(" ")), Number(line.slice(line.lastIndexOf(" ")))]),
  );
}

/** agent-api 3.32; file systems and disks are those of the machine, so they are not looked for. */
const always = [
  ...["scrape_count", "threads", "total_time", "total_vm", "total_rss"].map((name) => `kata_agent_${name}`),
  ...[
    'kata_agent_proc_status{item="vmrss"}',
    'kata_agent_io_stat{item="rchar"}',
    'kata_agent_proc_stat{item="utime"}',
  ],
  ...[
    'kata_guest_load{item="load1"}',
    'kata_guest_tasks{item="max"}',
    'kata_guest_cpu_time{cpu="total",item="user"}',
  ],
  ...['kata_guest_netdev_stat{interface="lo",item="recv_bytes"}', 'kata_guest_meminfo{item="mem_total"}'],
  'kata_agent_heap_bytes{item="heap_used"}',
];

test("GetMetrics tells of the guest, the agent and its calls (agent-api 3.32)", needsRoot, async (t) => {
  await using agent = await startAgent();
  const { calls } = agent;
  await calls.StatsContainer({ container_id: "nobody" }).catch(() => undefined);
  const asking = new AbortController();
  const waiting = calls.GetOOMEvent({}, { signal: asking.signal }).catch(() => undefined);
  const first = (await calls.GetMetrics({})).metrics;
  const values = parse(first);
  for (const name of always) t.ok((values.get(name) ?? -1) >= 0, name);
  t.ok((values.get("kata_agent_total_rss") ?? 0) > 1e6);
  t.equal(values.get("kata_agent_scrape_count"), 1);
  t.ok((values.get('kata_agent_rpc_calls_total{method="grpc.Health/Check",code="OK"}') ?? 0) >= 1);
  t.equal(
    values.get(
      'kata_agent_rpc_calls_total{method="grpc.AgentService/StatsContainer",code="INVALID_ARGUMENT"}',
    ),
    1,
  );
  t.equal(values.get('kata_agent_rpc_running{method="grpc.AgentService/GetOOMEvent"}'), 1);
  t.notOk(
    [...values.keys()].some((name) => /^(go|process)_|spans/.test(name)),
    "no tracing, no counts of it",
  );
  asking.abort();
  await waiting;
  const second = parse((await calls.GetMetrics({})).metrics);
  t.equal(second.get("kata_agent_scrape_count"), 2);
  t.equal(second.get('kata_agent_rpc_calls_total{method="grpc.AgentService/GetMetrics",code="OK"}'), 1);
});

test("with tracing on, GetMetrics tells where the spans have gone", needsRoot, async (t) => {
  await using agent = await startAgent({
    env: {
      ...impatience,
      KATA_AGENT_TRACING: "isolated",
      KATA_AGENT_TRACE_ADDR: "unix:///nonexistent/receiver",
    },
  });
  const values = parse((await agent.calls.GetMetrics({})).metrics);
  t.equal(values.get("kata_agent_spans_sent_total"), 0);
  t.ok((values.get("kata_agent_spans_queued") ?? 0) > 0, "nobody takes them");
  t.equal(values.get('kata_agent_spans_dropped_total{reason="queue-full"}'), 0);
});
