import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "tap";
import { AgentError } from "../../src/base/agent-error.ts";
import { Code } from "../../src/base/code.ts";
import { runAgentctl } from "../fakes/fake-host.ts";
import { type Behaviour, startRecordingAgent } from "../fakes/recording-agent.ts";

const stats: Behaviour = {
  StatsContainer: async () => ({
    cgroup_stats: {
      cpu_stats: {
        cpu_usage: { total_usage: 123n, percpu_usage: [], usage_in_kernelmode: 0n, usage_in_usermode: 0n },
        throttling_data: undefined,
      },
      memory_stats: undefined,
      pids_stats: { current: 2n, limit: 18446744073709551615n },
      blkio_stats: undefined,
      hugetlb_stats: new Map(),
    },
    network_stats: [],
  }),
};

type Row = {
  readonly args: readonly string[];
  readonly sent: readonly [method: string, request: object][];
  readonly prints: RegExp;
  readonly json: object;
  readonly behaviour?: Behaviour;
};

const rows: readonly Row[] = [
  {
    args: ["check"],
    behaviour: { Check: async () => ({ status: 1 }) },
    sent: [["Check", {}]],
    prints: /^SERVING \(/,
    json: { status: "SERVING", duration_ms: Number },
  },
  {
    args: ["version"],
    behaviour: { Version: async () => ({ agent_version: "4.1.0", grpc_version: "0.0.1" }) },
    sent: [["Version", {}]],
    prints: /^agent 4\.1\.0\nAPI {3}0\.0\.1\n$/,
    json: { agent_version: "4.1.0", grpc_version: "0.0.1" },
  },
  {
    args: ["details"],
    behaviour: {
      GetGuestDetails: async () => ({
        mem_block_size_bytes: 134217728n,
        agent_details: undefined,
        support_mem_hotplug_probe: true,
      }),
    },
    sent: [["GetGuestDetails", { mem_block_size: true, mem_hotplug_probe: true }]],
    prints: /mem_block_size_bytes: 134217728\nsupport_mem_hotplug_probe: true/,
    json: { mem_block_size_bytes: "134217728", support_mem_hotplug_probe: true },
  },
  {
    args: [
      "create-sandbox",
      "pod1",
      "--dns",
      "nameserver 1.1.1.1",
      "--dns",
      "search x",
      "--shm-size",
      "4096",
    ],
    sent: [
      [
        "CreateSandbox",
        {
          sandbox_id: "pod1",
          hostname: "pod1",
          dns: ["nameserver 1.1.1.1", "search x"],
          storages: [
            {
              driver: "ephemeral",
              fstype: "tmpfs",
              options: ["noexec", "nosuid", "nodev", "mode=1777", "size=4096"],
            },
          ],
        },
      ],
    ],
    prints: /^$/,
    json: { sandbox_id: "pod1" },
  },
  { args: ["destroy-sandbox"], sent: [["DestroySandbox", {}]], prints: /^$/, json: {} },
  {
    args: ["start", "web"],
    sent: [["StartContainer", { container_id: "web" }]],
    prints: /^$/,
    json: { container_id: "web" },
  },
  {
    args: ["signal", "web", "term"],
    sent: [["SignalProcess", { container_id: "web", exec_id: "", signal: 15 }]],
    prints: /^$/,
    json: { signal: 15, signal_name: "SIGTERM" },
  },
  {
    args: ["signal", "web", "SIGUSR1", "--exec", "e1"],
    sent: [["SignalProcess", { container_id: "web", exec_id: "e1", signal: 10 }]],
    prints: /^$/,
    json: { exec_id: "e1" },
  },
  {
    args: ["wait", "web"],
    behaviour: { WaitProcess: async () => ({ status: 137 }) },
    sent: [["WaitProcess", { container_id: "web", exec_id: "" }]],
    prints: /^137\n$/,
    json: { status: 137 },
  },
  {
    args: ["remove", "web", "--within", "3"],
    sent: [["RemoveContainer", { container_id: "web", timeout: 3 }]],
    prints: /^$/,
    json: { container_id: "web" },
  },
  {
    args: ["stats", "web"],
    behaviour: stats,
    sent: [["StatsContainer", { container_id: "web" }]],
    prints: /cpu_usage:\n +total_usage: 123\n/,
    json: { cgroup_stats: { pids_stats: { limit: "18446744073709551615" } }, network_stats: [] },
  },
  {
    args: ["resize", "web", "24", "80"],
    sent: [["TtyWinResize", { container_id: "web", exec_id: "web", row: 24, column: 80 }]],
    prints: /^$/,
    json: { row: 24, column: 80 },
  },
  {
    args: ["close-stdin", "web", "--exec", "e1"],
    sent: [["CloseStdin", { container_id: "web", exec_id: "e1" }]],
    prints: /^$/,
    json: { exec_id: "e1" },
  },
  {
    args: ["create", "--rootfs", "/srv/root", "-e", "A=1", "--cwd", "/tmp", "web", "sh", "-c", "exit 1"],
    sent: [
      [
        "CreateContainer",
        {
          container_id: "web",
          exec_id: "web",
          OCI: {
            Root: { Path: "/srv/root" },
            Process: { Args: ["sh", "-c", "exit 1"], Cwd: "/tmp", Env: [/^PATH=/, "A=1"] },
          },
        },
      ],
    ],
    prints: /^$/,
    json: { container_id: "web" },
  },
];

for (const row of rows) {
  test(`${row.args.join(" ")} sends what it says and prints the answer`, async (t) => {
    await using agent = await startRecordingAgent(row.behaviour);
    const ended = await runAgentctl(["--addr", agent.address, ...row.args]);
    t.match(ended, { status: 0, stdout: row.prints, stderr: /^$/ });
    t.match(
      agent.calls.map(({ name, request }) => [name, request]),
      row.sent,
    );
    t.equal(agent.calls.length, row.sent.length);
  });

  test(`${row.args[0]} --json prints one JSON document with the trace id`, async (t) => {
    await using agent = await startRecordingAgent(row.behaviour);
    const [name = "", ...rest] = row.args;
    const ended = await runAgentctl([name, "--json", "--addr", agent.address, ...rest]);
    t.equal(ended.status, 0, ended.stderr);
    const printed = JSON.parse(ended.stdout) as { trace_id: string };
    t.match(printed, { ...row.json, trace_id: /^[0-9a-f]{32}$/ });
    const [, value] = agent.calls[0]?.call.metadata.find(([key]) => key === "traceparent") ?? [];
    t.match(
      value,
      new RegExp(`^00-${printed.trace_id}-[0-9a-f]{16}-01$`),
      "the same trace as in the metadata",
    );
  });
}

test("a traceparent that is given is the one that is sent", async (t) => {
  await using agent = await startRecordingAgent();
  const traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
  const ended = await runAgentctl([
    "--addr",
    agent.address,
    "--traceparent",
    traceparent,
    "-v",
    "start",
    "web",
  ]);
  t.same(agent.calls[0]?.call.metadata, [["traceparent", traceparent]]);
  t.match(ended.stderr, "trace 0af7651916cd43dd8448eb211c80319c");
});

test("an error of the agent is printed as CODE: message, exit status 1", async (t) => {
  const fail = () => Promise.reject(new AgentError(Code.notFound, "process not found"));
  await using agent = await startRecordingAgent({ WaitProcess: fail });
  t.same(await runAgentctl(["--addr", agent.address, "wait", "web"]), {
    status: 1,
    stdout: "",
    stderr: "NOT_FOUND: process not found\n",
  });
  const json = await runAgentctl(["--addr", agent.address, "--json", "wait", "web"]);
  t.match(JSON.parse(json.stdout), { error: { code: "NOT_FOUND", message: "process not found" } });
});

test("an agent that does not serve is a failure of check", async (t) => {
  await using agent = await startRecordingAgent({ Check: async () => ({ status: 2 }) });
  t.match(await runAgentctl(["--addr", agent.address, "check"]), { status: 1, stdout: /^NOT_SERVING/ });
});

test("a call that takes longer than --timeout fails with DEADLINE_EXCEEDED", async (t) => {
  await using agent = await startRecordingAgent({ Check: () => new Promise(() => {}) });
  const ended = await runAgentctl(["--addr", agent.address, "--timeout", "2s", "check"]);
  t.match(ended, { status: 1, stderr: /^DEADLINE_EXCEEDED: / });
});

test("wait has no deadline, whatever --timeout says", async (t) => {
  const [asked, answered] = [Promise.withResolvers<void>(), Promise.withResolvers<{ status: number }>()];
  await using agent = await startRecordingAgent({
    Check: () => new Promise(() => {}),
    WaitProcess: () => {
      asked.resolve();
      return answered.promise;
    },
  });
  // The limit holds for connecting as well, so it is no shorter than a busy machine needs for that.
  const limited = ["--addr", agent.address, "--timeout", "2s"];
  const waiting = runAgentctl([...limited, "wait", "web"]);
  await asked.promise;
  // It began later, so whatever limit it ends by is over for the other one, too.
  t.match(await runAgentctl([...limited, "check"]), { stderr: /^DEADLINE_EXCEEDED: / });
  answered.resolve({ status: 7 });
  t.match(await waiting, { status: 0, stdout: "7\n" });
});

test("Ctrl-C gives up a call that waits, exit status 130", async (t) => {
  const interrupt = new AbortController();
  const hang = () => {
    interrupt.abort(new Error("interrupted"));
    return new Promise<never>(() => {});
  };
  await using agent = await startRecordingAgent({ WaitProcess: hang });
  const ended = await runAgentctl(["--addr", agent.address, "wait", "web"], {
    interrupted: interrupt.signal,
  });
  t.match(ended, { status: 130, stderr: /interrupted/ });
});

test("the address may come from the environment", async (t) => {
  await using agent = await startRecordingAgent({ Check: async () => ({ status: 1 }) });
  t.equal((await runAgentctl(["check"], { env: { KATA_AGENT_SERVER_ADDR: agent.address } })).status, 0);
});

test("nobody at the address is exit status 3, also with --json", async (t) => {
  const ended = await runAgentctl(["--addr", "unix:///nonexistent/agent.sock", "--json", "check"]);
  t.match(ended, { status: 3, stderr: /cannot connect to unix:\/\/\/nonexistent\/agent.sock: ENOENT/ });
  t.match(JSON.parse(ended.stdout), { error: { code: "UNREACHABLE" } });
});

test("--wait tries until the time is over", async (t) => {
  const ended = await runAgentctl(["--addr", "unix:///nonexistent/agent.sock", "--wait", "120ms", "check"]);
  t.equal(ended.status, 3);
});

test("--wait finds an agent behind hybrid VSOCK that listens later", async (t) => {
  const folder = await mkdtemp(join(tmpdir(), "agentctl-wait-"));
  t.teardown(() => rm(folder, { recursive: true }));
  await using agent = await startRecordingAgent({ Check: async () => ({ status: 1 }) });
  const asked: string[] = [];
  const vmm = createServer((socket) => {
    socket.once("data", (line) => {
      asked.push(line.toString());
      if (asked.length < 3) return socket.destroy(); // as a VMM does while nobody listens in the guest
      socket.write("OK 1073741824\n");
      return socket.pipe(connect(agent.address.replace("unix://", ""))).pipe(socket);
    });
  });
  await new Promise<void>((resolve) => vmm.listen(join(folder, "vm.sock"), resolve));
  t.teardown(() => vmm.close());
  const address = `hvsock://${folder}/vm.sock:1024`;
  t.match(await runAgentctl(["--addr", address, "--wait", "120s", "check"]), {
    status: 0,
    stdout: /^SERVING/,
  });
  t.same(asked, Array(3).fill("CONNECT 1024\n"));
});

const misuse: readonly (readonly string[])[] = [
  ["check"],
  ["nonsense"],
  ["wait"],
  ["--addr", "nowhere", "check"],
  ["--addr", "unix:///x", "--timeout", "soon", "check"],
  ["--addr", "unix:///x", "--traceparent", "00-1-2-3", "check"],
  ["--addr", "unix:///x", "signal", "web", "SIGNONSENSE"],
  ["--addr", "unix:///x", "resize", "web", "70000", "80"],
  ["--addr", "unix:///x", "exec", "-e", "NOEQUALS", "web", "sh"],
  ["--addr", "unix:///x", "create", "web", "sh"],
  ["--addr", "unix:///x", "call", "NoSuchMethod"],
  ["--addr", "unix:///x", "call", "StartContainer", "{"],
  ["--addr", "unix:///x", "call", "StartContainer", '{"containerId":"x"}'],
  ["trace", "/nonexistent/file"],
];
for (const args of misuse) {
  test(`"${args.join(" ")}" is exit status 2 with a word on standard error`, async (t) => {
    const ended = await runAgentctl(args);
    t.match(ended, { status: 2, stdout: "", stderr: /.{10}/ });
  });
}

test("call takes any method, JSON or @file, and prints the answer as JSON", async (t) => {
  const folder = await mkdtemp(join(tmpdir(), "agentctl-call-"));
  t.teardown(() => rm(folder, { recursive: true }));
  await using agent = await startRecordingAgent({
    WriteStdin: async ({ data }) => ({ len: data.length }),
    ReadStdout: async () => ({ data: new Uint8Array([255, 0]) }),
  });
  await writeFile(join(folder, "request.json"), '{"container_id":"web","data":"AAEC/w=="}');
  const written = await runAgentctl([
    "--addr",
    agent.address,
    "call",
    "WriteStdin",
    `@${folder}/request.json`,
  ]);
  t.match(written, { status: 0, stdout: '{"len":4}\n' });
  t.same(agent.calls[0]?.request["data"], new Uint8Array([0, 1, 2, 255]));
  const read = await runAgentctl(["--addr", agent.address, "call", "grpc.AgentService/ReadStdout"]);
  t.equal(read.stdout, '{"data":"/wA="}\n');
});

test("every command has help with an example", async (t) => {
  const { stdout } = await runAgentctl(["--help"]);
  const names = [...stdout.matchAll(/^ {2}([a-z-]+) \[options\]/gm)].map(([, name]) => name ?? "");
  t.ok(names.length >= 23, String(names.length));
  for (const name of names) {
    const help = await runAgentctl([name, "--help"]);
    t.match(help, { status: 0, stdout: /Examples:\n {2}\$ agentctl / }, name);
  }
});
