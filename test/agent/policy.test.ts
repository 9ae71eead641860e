import { existsSync, linkSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Test, test } from "tap";
import { Code } from "../../src/base/code.ts";
import { specOf } from "../fakes/container-spec.ts";
import { needsEngine, policyWith } from "../fakes/policies.ts";
import { type Methods, type RealAgent, refusal, startAgent } from "../fakes/real-agent.ts";

/** Policies on real calls (agent-api 8, 3.33, 0.3). */

const share = "/run/kata-containers/shared/containers";
const copy = {
  path: `${share}/secret`,
  file_mode: 0o100640,
  dir_mode: 0o750,
  uid: 0,
  gid: 0,
  file_size: 3n,
  data: Buffer.from("abc"),
};

async function bothProtocols(t: Test, agent: RealAgent, work: (t: Test, calls: Methods) => Promise<void>) {
  for (const [name, calls] of [
    ["ttRPC", agent.calls],
    ["gRPC", await agent.connectGrpc()],
  ] as const) {
    await agent.calls.SetPolicy({ policy: policyWith() });
    await t.test(name, (t) => work(t, calls));
  }
}

test("calls under a policy", needsEngine, async (t) => {
  await using agent = await startAgent();
  const { calls } = agent;
  await calls.CreateSandbox({ sandbox_id: "policies" });
  const details = await calls.GetGuestDetails({});
  t.ok(details.agent_details?.extra_features.includes("agent-policy"));
  const workload = await agent.run("workload", { args: ["sh", "-c", "echo out; echo err >&2; sleep 1000"] });

  // agent-api 0.3
  await t.test("denied CopyFile: PERMISSION_DENIED with what the policy prints, no file", async (t) => {
    await bothProtocols(t, agent, async (t, calls) => {
      const rule = 'CopyFileRequest if { print("path", input.path); print(input.file_type); input.uid == 7 }';
      await calls.SetPolicy({ policy: policyWith("default CopyFileRequest := false", rule) });
      const { code, message } = await refusal(calls.CopyFile(copy));
      t.equal(code, Code.permissionDenied);
      t.match(message, /CopyFileRequest is blocked by policy: .*path .*\/secret .*Regular/);
      t.notOk(existsSync(agent.path(copy.path)));
      await calls.CopyFile({ ...copy, path: `${share}/allowed`, uid: 7 });
      t.ok(existsSync(agent.path(`${share}/allowed`)));
    });
  });

  await t.test("denied ExecProcess starts nothing, and the id stays free", async (t) => {
    await bothProtocols(t, agent, async (t, calls) => {
      await calls.SetPolicy({ policy: policyWith("default ExecProcessRequest := false") });
      const before = agent.traces();
      const wanted = {
        container_id: workload,
        exec_id: "e",
        process: { Args: ["true"], Cwd: "/", User: {} },
      };
      const denied = await refusal(calls.ExecProcess(wanted));
      t.same(denied, {
        code: Code.permissionDenied,
        message: "ExecProcessRequest is blocked by policy: ",
      });
      t.same(agent.traces(), before);
    });
  });

  // agent-api 8
  await t.test("a denied create reserves nothing", async (t) => {
    await calls.SetPolicy({ policy: policyWith("default CreateContainerRequest := false") });
    const before = agent.traces();
    t.equal((await refusal(agent.create("later", { args: ["true"] }))).code, Code.permissionDenied);
    t.same(agent.traces(), before);
    await calls.SetPolicy({ policy: policyWith() });
    await agent.remove(await agent.run("later", { args: ["true"] }));
  });

  await t.test("a denied create turns no tracing on", async (t) => {
    await using other = await startAgent();
    await other.calls.SetPolicy({
      policy: policyWith("default CreateContainerRequest := false", "default StopTracingRequest := true"),
    });
    const Annotations = new Map([["io.katacontainers.config.agent.trace", "collated"]]);
    const spec = { ...specOf(other.root, { args: ["true"] }), Annotations };
    const create = () => other.calls.CreateContainer({ container_id: other.id("noted"), OCI: spec });
    t.equal((await refusal(create())).code, Code.permissionDenied);
    t.match(await refusal(other.calls.StopTracing({})), { message: "tracing not enabled" });
  });

  await t.test("a state that calls change decides about the next ones, also at once", async (t) => {
    await bothProtocols(t, agent, async (t, calls) => {
      const op = '{"op": "add", "path": "/pstate/seen", "value": n + 1}';
      const rule = [
        "default GuestDetailsRequest := false",
        'n := object.get(data.pstate, "seen", 0)',
        `GuestDetailsRequest := {"allowed": true, "ops": [${op}]} if n < 3`,
      ];
      await calls.SetPolicy({ policy: policyWith(...rule) });
      const answers = await Promise.all(Array.from({ length: 10 }, () => refusal(calls.GetGuestDetails({}))));
      const codes = answers.map(({ code }) => code);
      t.same(codes.slice(0, 3), [0, 0, 0]);
      t.ok(codes.slice(3).every((code) => code === Code.permissionDenied));
    });
  });

  // agent-api 10.1
  await t.test("a denied read is empty and no error", async (t) => {
    await bothProtocols(t, agent, async (t, calls) => {
      await calls.SetPolicy({ policy: policyWith("default ReadStreamRequest := false") });
      const id = await agent.run(`silent-${t.name}`, {
        args: ["sh", "-c", "echo out; echo err >&2; sleep 1000"],
      });
      const read = { container_id: id, exec_id: "", len: 100 };
      t.equal((await calls.ReadStdout(read)).data.length, 0);
      t.equal((await calls.ReadStderr(read)).data.length, 0);
      await agent.remove(id);
    });
    await calls.SetPolicy({ policy: policyWith() });
    const read = { container_id: workload, exec_id: "", len: 100 };
    t.equal(`${Buffer.from((await calls.ReadStdout(read)).data)}`, "out\n");
    t.equal(`${Buffer.from((await calls.ReadStderr(read)).data)}`, "err\n");
  });

  // agent-api 0.3
  await t.test("a request without a rule: INTERNAL; Health is never asked about", async (t) => {
    await bothProtocols(t, agent, async (t, calls) => {
      await calls.SetPolicy({ policy: "package agent_policy\ndefault SetPolicyRequest := true\n" });
      t.equal((await refusal(calls.GetGuestDetails({}))).code, Code.internal);
      t.equal((await refusal(calls.Check({}))).code, 0);
      t.equal((await refusal(calls.Version({}))).code, 0);
      await calls.SetPolicy({ policy: policyWith() });
    });
  });

  // agent-api 8
  await t.test(
    "a rule that is no verdict, and one that never ends, are INTERNAL and tell nothing",
    async (t) => {
      const rules = ['GuestDetailsRequest := "yes"', "f(x) := f(x + 1)\nGuestDetailsRequest if f(1)"];
      for (const rule of rules) {
        await calls.SetPolicy({ policy: policyWith(rule) });
        t.same(await refusal(calls.GetGuestDetails({})), {
          code: Code.internal,
          message: "GuestDetailsRequest: the policy could not be evaluated",
        });
      }
    },
  );

  await t.test("AllowRequestsFailingPolicy lets denials and missing rules through", async (t) => {
    const tolerant = ["default AllowRequestsFailingPolicy := true", "default GuestDetailsRequest := false"];
    await calls.SetPolicy({ policy: ["package agent_policy", ...tolerant, ""].join("\n") });
    t.equal((await refusal(calls.GetGuestDetails({}))).code, 0);
    t.equal((await refusal(calls.CopyFile(copy))).code, 0);
    await calls.SetPolicy({ policy: policyWith() });
  });

  // agent-api 0.3
  await t.test(
    "a text that is no policy: INVALID_ARGUMENT, the one in force stays with its state",
    async (t) => {
      await bothProtocols(t, agent, async (t, calls) => {
        await calls.SetPolicy({ policy: policyWith("default CopyFileRequest := false") });
        const bad = [
          "",
          "package agent_policy\nCopyFileRequest if {",
          "package agent_policy\nCopyFileRequest if { a == b }",
          `package agent_policy\nx := ${"[".repeat(60)}1${"]".repeat(60)}`,
          `package agent_policy\nx := "${"x".repeat(65 * 1024)}"\n`,
          `package agent_policy\n${"\n".repeat(200_001)}`,
        ];
        for (const policy of bad)
          t.equal((await refusal(calls.SetPolicy({ policy }))).code, Code.invalidArgument);
        t.equal((await refusal(calls.CopyFile(copy))).code, Code.permissionDenied);
      });
    },
  );

  await t.test("a thousand calls at once under a policy", async (t) => {
    await bothProtocols(t, agent, async (t, calls) => {
      const answers = await Promise.all(
        Array.from({ length: 1000 }, () => calls.StatsContainer({ container_id: workload })),
      );
      t.equal(answers.length, 1000);
    });
  });

  await t.test("SetPolicy itself is asked about under the policy in force", async (t) => {
    await calls.SetPolicy({ policy: policyWith("default SetPolicyRequest := false") });
    t.equal((await refusal(calls.SetPolicy({ policy: policyWith() }))).code, Code.permissionDenied);
  });
});

test("a policy file is in force from the first call", needsEngine, async (t) => {
  const folder = mkdtempSync(join(tmpdir(), "policy-"));
  t.teardown(() => rmSync(folder, { recursive: true }));
  const file = join(folder, "policy.rego");
  writeFileSync(file, policyWith("default CreateSandboxRequest := false"));
  await using agent = await startAgent({
    env: { KATA_AGENT_POLICY_FILE: file },
  });
  t.equal((await refusal(agent.calls.CreateSandbox({}))).code, Code.permissionDenied);
  t.equal((await refusal(agent.calls.SetPolicy({ policy: policyWith() }))).code, 0);
});

test("a policy file that is missing or none ends the start (agent-api 10.1)", needsEngine, async (t) => {
  const folder = mkdtempSync(join(tmpdir(), "policy-"));
  t.teardown(() => rmSync(folder, { recursive: true }));
  const file = join(folder, "policy.rego");
  const start = () => startAgent({ env: { KATA_AGENT_POLICY_FILE: file } });
  await t.rejects(start(), { message: /policy file: ENOENT/ });
  writeFileSync(file, "no policy");
  await t.rejects(start(), { message: /expecting `package`/ });
});

test("a build without the engine: SetPolicy answers NOT_FOUND, a policy file ends the start", async (t) => {
  const build = join(import.meta.dirname, "../../build");
  const folder = mkdtempSync(join(build, ".plain-"));
  t.teardown(() => rmSync(folder, { recursive: true }));
  const program = join(folder, "kata-agent");
  linkSync(join(build, "kata-agent"), program);
  mkdirSync(join(folder, "lib"));
  for (const name of readdirSync(join(build, "lib")).filter((name) =>
    /^(node|kata.*|[a-z-]+\.cjs)$/.test(name),
  )) {
    linkSync(join(build, "lib", name), join(folder, "lib", name));
  }
  await using agent = await startAgent({ program });
  t.equal((await refusal(agent.calls.SetPolicy({ policy: policyWith() }))).code, Code.notFound);
  const { agent_details } = await agent.calls.GetGuestDetails({});
  t.notOk(agent_details?.extra_features.includes("agent-policy"));
  const file = join(folder, "policy.rego");
  writeFileSync(file, policyWith());
  await t.rejects(startAgent({ program, env: { KATA_AGENT_POLICY_FILE: file } }), {
    message: /no policy engine/,
  });
});
