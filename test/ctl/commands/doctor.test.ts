import { writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { type Test, test } from "tap";
import { runAgentctl } from "../../fakes/fake-host.ts";
import { type RealAgent, startAgent } from "../../fakes/real-agent.ts";
import { runForwarder, temporaryFolder } from "../../forwarder/running.ts";

type Wishes = { env?: Record<string, string>; backend?: string; forwarder?: false };
type Chain = { agent: RealAgent; folder: string; doctor: (...args: string[]) => Promise<Seen> };
type Seen = { status: number; steps: [name: string, state: string][]; told: string };

/** All of the chain on this machine; the doctor is run with `args` behind it. */
async function chain(t: Test, { env = {}, backend, forwarder }: Wishes = {}): Promise<Chain> {
  const folder = temporaryFolder(t);
  writeFileSync(join(folder, "kata.toml"), "[agent.kata]\nenable_tracing = true\n");
  writeFileSync(join(folder, "cmdline"), "qemu\0-append\0quiet agent.trace=isolated panic=1\0");
  const to = backend === undefined ? ["--file", join(folder, "spans.jsonl")] : ["--otlp", backend];
  const admin = `unix://${folder}/admin.sock`;
  if (forwarder !== false)
    await runForwarder(t, "--listen", `unix://${folder}/t.sock`, "--admin", admin, ...to);
  const agent = await startAgent({
    env: { KATA_AGENT_TRACING: "isolated", KATA_AGENT_TRACE_ADDR: `unix://${folder}/t.sock`, ...env },
  });
  t.teardown(() => agent[Symbol.asyncDispose]());
  const usual = ["--addr", `unix://${agent.folder}/agent.sock`, "--json", "doctor", "--forwarder", admin];
  const files = ["--config", join(folder, "kata.toml"), "--cmdline", join(folder, "cmdline")];
  const doctor = (...args: string[]) => examined([...usual, ...files, ...args]);
  return { agent, folder, doctor };
}

async function examined(args: string[]): Promise<Seen> {
  const { status, stdout } = await runAgentctl(args);
  const { steps } = JSON.parse(stdout) as { steps: { name: string; state: string; what: string }[] };
  return {
    status,
    steps: steps.map(({ name, state }) => [name, state]),
    told: steps.at(-1)?.what ?? "",
  };
}

const links = ["option", "kernel command line", "agent", "vsock", "forwarder", "backend"];
/** Everything is in order up to the link with this name, where the walk ends. */
function isBrokenAt(t: Test, { status, steps, told }: Seen, link: string, told_: RegExp): void {
  const before = links.slice(0, links.indexOf(link)).map((name) => [name, "ok"]);
  t.same(steps, [...before, [link, "broken"]]);
  t.equal(status, 1);
  t.match(told, told_);
}

test("a span is followed through all that is in order", async (t) => {
  const { agent, doctor } = await chain(t);
  const { status, steps } = await doctor();
  t.same(
    steps,
    links.map((name) => [name, "ok"]),
  );
  t.equal(status, 0);
  const bare = await runAgentctl(["--addr", `unix://${agent.folder}/agent.sock`, "doctor"]);
  t.equal(bare.status, 0);
  t.match(
    bare.stdout,
    /^- {7}option .*\n- .*\nok {6}agent {16}it traces.*\nok .*\n- .*forwarder.*\n- .*backend/,
  );
});

test("broken link: the option is not set, or its file not there", async (t) => {
  const { folder, doctor } = await chain(t);
  writeFileSync(
    join(folder, "off.toml"),
    "[agent.kata]\n# enable_tracing = true\n[runtime]\nenable_tracing = true\n",
  );
  isBrokenAt(t, await doctor("--config", join(folder, "off.toml")), "option", /set enable_tracing = true/);
  isBrokenAt(t, await doctor("--config", "/nowhere"), "option", /cannot be read/);
  writeFileSync(join(folder, "kernel.toml"), '[hypervisor.qemu]\nkernel_params = "agent.trace=collated"\n');
  t.equal((await doctor("--config", join(folder, "kernel.toml"))).status, 0);
});

test("broken link: the kernel was not told", async (t) => {
  const { folder, doctor } = await chain(t);
  writeFileSync(join(folder, "quiet"), "quiet agent.trace=isolated agent.trace=off agent.log=debug");
  isBrokenAt(
    t,
    await doctor("--cmdline", join(folder, "quiet")),
    "kernel command line",
    /no agent.trace|before/,
  );
});

test("broken link: no agent answers, it does not trace, or no calls", async (t) => {
  const { agent, folder, doctor } = await chain(t, { env: { KATA_AGENT_TRACE_MODE: "dynamic" } });
  const nobody = ["--addr", "unix:///nowhere.sock", "--json", "doctor"];
  const files = ["--config", join(folder, "kata.toml"), "--cmdline", join(folder, "cmdline")];
  isBrokenAt(t, await examined([...nobody, ...files]), "agent", /cannot connect/);
  isBrokenAt(t, await doctor(), "agent", /agentctl trace start/);
  const trace = ["--addr", `unix://${agent.folder}/agent.sock`, "trace"];
  await runAgentctl([...trace, "start"]);
  t.equal((await doctor()).status, 0);
  await runAgentctl([...trace, "level", "error"]);
  isBrokenAt(t, await doctor(), "agent", /trace level info/);
});

test("broken link: the receiver is not where the agent sends to", async (t) => {
  const { doctor } = await chain(t, { env: { KATA_AGENT_TRACE_ADDR: "unix:///nowhere/t.sock" } });
  isBrokenAt(t, await doctor(), "vsock", /forwarder is there, but not reached/);
});

test("broken link: no forwarder runs", async (t) => {
  const { doctor } = await chain(t, { forwarder: false });
  isBrokenAt(t, await doctor(), "vsock", /is it running/);
});

test("broken link: the spans go to somebody else", async (t) => {
  const { doctor } = await chain(t);
  const other = temporaryFolder(t);
  await runForwarder(
    t,
    "--listen",
    `unix://${other}/o.sock`,
    "--admin",
    `unix://${other}/a.sock`,
    "--file",
    "/dev/null",
  );
  isBrokenAt(t, await doctor("--forwarder", `unix://${other}/a.sock`), "forwarder", /somebody else/);
  isBrokenAt(t, await doctor("--forwarder", `unix://${other}/none`), "forwarder", /--admin/);
});

test("broken link: the backend refuses, or is not there", async (t) => {
  const backend = createServer((request, response) => {
    request.resume();
    response.writeHead(400).end();
  });
  await new Promise<void>((resolve) => backend.listen(0, "127.0.0.1", resolve));
  t.teardown(() => backend.close());
  const { port } = backend.address() as AddressInfo;
  const refused = await chain(t, { backend: `http://127.0.0.1:${port}` });
  isBrokenAt(t, await refused.doctor(), "backend", /given up/);
  const away = await chain(t, { backend: "http://127.0.0.1:1" });
  isBrokenAt(t, await away.doctor(), "backend", /took nothing/);
});
