/**
 * Secrets go in through every field of every call and must come out nowhere: not in spans, log lines, metrics or the
 * texts of errors, and nothing of them stays on disk. The agent says all it can: lowest log level, tracing on.
 */
import { mkdirSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { type Test, test } from "tap";
import type { MessageType } from "../../src/gen/message-type.ts";
import { AgentServiceMethods } from "../../src/gen/methods.ts";
import { Collector } from "../fakes/collector.ts";
import { processOf, specOf } from "../fakes/container-spec.ts";
import { needsRoot, type RealAgent, refusal, startAgent } from "../fakes/real-agent.ts";

/** Where an error may quote what was sent, since callers match on it: names of drivers, programs, devices, ids. */
const neverInErrors =
  /Env|Args|Annotations|Hooks|data|policy|password|seed|dns|symlink|options|parameters|IPAddresses/i;

type Outputs = { agent: RealAgent; collector: Collector; errors: string[] };

async function talkativeAgent(t: Test): Promise<Outputs> {
  const collector = new Collector();
  const agent = await startAgent({
    env: {
      KATA_AGENT_LOG_LEVEL: "trace",
      KATA_AGENT_TRACING: "isolated",
      KATA_AGENT_TRACE_ADDR: "unix:///run/secrets-test.sock",
    },
  });
  t.teardown(() => agent[Symbol.asyncDispose]());
  await collector.listen(agent.path("/run/secrets-test.sock"));
  t.teardown(() => collector.close());
  return { agent, collector, errors: [] };
}

/** Looks through all that the agent gives away, once it has ended. */
async function searchAll(t: Test, { agent, collector, errors }: Outputs, word: RegExp): Promise<void> {
  const { metrics } = await agent.calls.GetMetrics({});
  t.notMatch(metrics, word, "metrics");
  await agent.calls.DestroySandbox({});
  await agent.ended;
  t.ok(collector.spans.length > 5, "spans have come");
  const found = collector.bodies.flatMap((body) =>
    [...body.toString("latin1").matchAll(new RegExp(`.{0,40}${word.source}.{0,60}`, "g"))].map(String),
  );
  t.strictSame(found, [], "spans");
  t.notMatch(agent.output, word, "log lines");
  for (const error of errors) t.notMatch(error, word, "texts of errors");
}

async function fails(outputs: Outputs, call: Promise<unknown>): Promise<void> {
  const { message } = await refusal(call);
  outputs.errors.push(message);
}

test("what a pod's life is given stays between the caller and its processes", needsRoot, async (t) => {
  const outputs = await talkativeAgent(t);
  const { agent } = outputs;
  const { calls } = agent;
  const secret = (what: string) => `SECRET-${what}-0f9b`;
  await calls.CreateSandbox({ sandbox_id: "secrets", hostname: "pod", dns: [] });
  const id = agent.id("keeper");
  const spec = specOf(agent.root, {
    args: ["sh", "-c", `echo $TOKEN; cat; : ${secret("argument")}`],
    env: [`TOKEN=${secret("environment")}`],
  });
  const annotated = { ...spec, Annotations: new Map([["example.test/key", secret("annotation")]]) };
  const volume = { driver: "local", source: secret("source"), driver_options: [secret("option")] };
  const storages = [{ ...volume, mount_point: "/run/kata-containers/sandbox/volume" }];
  await calls.CreateContainer({ container_id: id, exec_id: id, OCI: annotated, storages });
  await calls.StartContainer({ container_id: id });
  t.match(await agent.readText(id, secret("environment").length), secret("environment"));
  await calls.WriteStdin({ container_id: id, data: Buffer.from(secret("stdin")) });
  t.match(await agent.readText(id, secret("stdin").length + 1), secret("stdin"));
  const share = "/run/kata-containers/shared/containers";
  const file = { path: `${share}/token`, file_mode: 0o100600, file_size: 17n };
  await calls.CopyFile({ ...file, data: Buffer.from(secret("file").padEnd(17)) });

  const broken = { ...spec, Process: processOf({ args: ["true"], env: [secret("entry-without-equals")] }) };
  await fails(outputs, calls.CreateContainer({ container_id: agent.id("bad"), OCI: broken }));
  const unmountable = {
    driver: "virtio-fs",
    source: secret("source"),
    options: [`password=${secret("option")}`],
  };
  const failing = [{ ...unmountable, fstype: "tmpfs", mount_point: "/run/kata-containers/sandbox/secret" }];
  await fails(
    outputs,
    calls.CreateContainer({ container_id: agent.id("none"), OCI: spec, storages: failing }),
  );
  await fails(outputs, agent.exec(id, "bad", { args: ["true"], env: [secret("entry")] }));
  await fails(outputs, agent.exec(id, "bad", { args: ["true", secret("arg")], cwd: "/no/such" }));
  await fails(outputs, calls.WriteStdin({ container_id: "nobody", data: Buffer.from(secret("lost")) }));
  await fails(outputs, calls.ReseedRandomDev({ data: Buffer.from(secret("seed")) }));
  await calls.SetPolicy({ policy: `package ${secret("policy")}` }).then(
    () => t.fail("that is no policy"),
    (error: Error) => outputs.errors.push(error.message),
  );
  await calls.CopyFile({ ...file, path: "/etc/outside", data: Buffer.from(secret("outside")) }).then(
    () => t.fail("that is outside of the share"),
    (error: Error) => outputs.errors.push(error.message),
  );

  await calls.SignalProcess({ container_id: id, exec_id: "", signal: 9 });
  await calls.WaitProcess({ container_id: id, exec_id: id });
  await calls.RemoveContainer({ container_id: id });
  t.strictSame(holding(agent.path("/run"), /SECRET-(?!file)/), [], "nothing is left on disk");
  await searchAll(t, outputs, /SECRET-/);
});

test("no field of any call but the ids is found in spans, logs or metrics", needsRoot, async (t) => {
  const outputs = await talkativeAgent(t);
  const { agent } = outputs;
  await agent.calls.CreateSandbox({ sandbox_id: "poison", hostname: "pod", dns: [] });
  mkdirSync(agent.path("/run/poison"), { recursive: true });
  for (const [name, { requestType }] of Object.entries(AgentServiceMethods)) {
    // These two end or wait for ever, whatever is in them.
    if (name === "DestroySandbox" || name === "GetOOMEvent") continue;
    const call = agent.calls[name as keyof typeof AgentServiceMethods] as (
      request: object,
    ) => Promise<unknown>;
    const message = await call(poisoned(requestType, name)).then(
      () => "",
      (error: Error) => error.message,
    );
    for (const [word] of message.matchAll(/POISON-[\w.-]+/g)) t.notMatch(word, neverInErrors);
  }
  await searchAll(t, outputs, /POISON-/);
});

/** A message with a word of its own in every text and byte field, at every depth. */
function poisoned(type: MessageType, path: string, depth = 0): object {
  const message = type.create() as Record<string, unknown>;
  for (const [, name, kind, rule, inner] of type.fields) {
    const value = poison(`${path}.${name}`, kind, inner, depth);
    if (value === undefined) continue;
    if (rule === "repeated") message[name] = [value];
    else if (rule === "map") message[name] = new Map([[`POISON-${path}.${name}-key`, value]]);
    else message[name] = value;
  }
  return message;
}

function poison(path: string, kind: string, inner: (() => MessageType) | undefined, depth: number): unknown {
  // Ids are what spans are found by; everything else in a request is nobody's business.
  if (/(?:container|exec|sandbox)_id$/.test(path)) return "some-id";
  if (kind === "string") return `POISON-${path}`;
  if (kind === "bytes") return Buffer.from(`POISON-${path}`);
  if (kind === "message" && inner !== undefined && depth < 6) return poisoned(inner(), path, depth + 1);
  return undefined;
}

/** Paths of plain files below a folder in which a word stands. */
function holding(folder: string, word: RegExp): string[] {
  return readdirSync(folder, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((path) => word.test(contents(path)));
}

/** A namespace that is held open stands in the tree as a file, but has nothing to read. */
function contents(path: string): string {
  try {
    return readFileSync(path, "latin1");
  } catch {
    return "";
  }
}
