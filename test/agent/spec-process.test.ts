/** What of a process section reaches the process (agent-api 3.3.3, 3.3.10), with crun as the one who does it. */
import { chmodSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import t, { test } from "tap";
import { Code } from "../../src/base/code.ts";
import type { Input } from "../../src/gen/message-type.ts";
import type { Process, Spec } from "../../src/gen/oci.ts";
import { processOf, specOf } from "../fakes/container-spec.ts";
import { printedBy } from "../fakes/printed-by.ts";
import { needsRoot, refusal, startAgent } from "../fakes/real-agent.ts";

const agent = await startAgent();
t.teardown(() => agent[Symbol.asyncDispose]());
const { calls } = agent;
await calls.CreateSandbox({ sandbox_id: "spec", hostname: "spec-pod" });
let serial = 0;

const shell = (script: string) => specOf(agent.root, { args: ["sh", "-c", script] });

const nextId = () => {
  serial += 1;
  return agent.id(`spec${serial}`);
};
const printed = (OCI: Input<Spec>) => printedBy(agent, nextId(), OCI);

function withProcess(script: string, process: Input<Process>): Input<Spec> {
  const spec = shell(script);
  return { ...spec, Process: { ...spec.Process, ...process } };
}

// agent-api 10.1
test("capabilities by any spelling are exactly those of the process (3.3.3, 3.3.10 step 19, 21)", async (t) => {
  const names = ["kill", "CAP_CHOWN", '"CAP_SETUID"'];
  const mask = ((1 << 0) | (1 << 5) | (1 << 7)).toString(16).padStart(16, "0");
  const Capabilities = {
    Bounding: names,
    Effective: names,
    Permitted: names,
    Inheritable: names,
    Ambient: names,
  };
  const status = await printed(withProcess("grep Cap /proc/self/status", { Capabilities }));
  for (const set of ["CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"])
    t.match(status, new RegExp(`${set}:\t${mask}`));
  const Ambient = ["CAP_FLY"];
  const create = calls.CreateContainer({
    container_id: agent.id("flies"),
    OCI: withProcess("true", { Capabilities: { Ambient } }),
  });
  t.same(await refusal(create), { code: Code.internal, message: "unknown capability" });
});

test("an init without capabilities is refused, an exec without inherits (3.3.3)", async (t) => {
  const OCI = withProcess("true", { Capabilities: undefined });
  const { code, message } = await refusal(calls.CreateContainer({ container_id: agent.id("bare"), OCI }));
  t.same([code, message], [Code.internal, "missing process capabilities"]);
});

test("limits are those asked for, and never the agent's own number of descriptors (3.3.3)", async (t) => {
  const Rlimits = [
    { Type: "RLIMIT_NOFILE", Hard: 4096n, Soft: 512n },
    { Type: "RLIMIT_CORE", Hard: 0n, Soft: 0n },
  ];
  const limits = "grep -E 'open files|core file' /proc/self/limits | tr -s ' '";
  const asked = await printed(withProcess(limits, { Rlimits }));
  t.match(asked, /open files 512 4096/);
  t.match(asked, /core file size 0 0/);
  const plain = await agent.run("limits", { args: ["sleep", "1000"] });
  await agent.exec(plain, "look", { args: ["sh", "-c", limits] });
  const [, hard] = /open files 1024 (\d+)/.exec(`${await agent.readAll(plain, "look")}`) ?? [];
  t.ok(Number(hard) >= 1024 && Number(hard) <= 524_288, `hard limit ${hard}`);
  t.match(await printed(shell(limits)), new RegExp(`open files 1024 ${hard}`));
  await agent.remove(plain);
});

test("the score of the OOM killer is written, zero too (3.3.3)", async (t) => {
  const score = "cat /proc/self/oom_score_adj";
  t.equal(await printed(withProcess(score, { OOMScoreAdj: 555n })), "555\n");
  t.equal(await printed(withProcess(score, { OOMScoreAdj: 0n })), "0\n");
});

// agent-api 10.1
test(
  "user, groups, no_new_privs and standard streams are the process's (3.3.10 steps 16 to 18)",
  needsRoot,
  async (t) => {
    const show =
      "id -u; id -g; id -G; grep NoNewPrivs /proc/self/status; stat -Lc %u /proc/self/fd/1; echo x >/dev/stderr";
    const User = { UID: 1234, GID: 2345, AdditionalGids: [7, 8] };
    t.equal(
      await printed(withProcess(show, { User, NoNewPrivileges: true, Cwd: "/" })),
      "1234\n2345\n2345 7 8\nNoNewPrivs:\t1\n1234\nx\n",
    );
    t.equal(
      await printed(withProcess("id -G; grep NoNewPrivs /proc/self/status", { User: { UID: 1, GID: 1 } })),
      "1\nNoNewPrivs:\t0\n",
      "an empty list clears the groups",
    );
  },
);

test("the working directory is made for init, and asked of an exec (3.3.10 step 14)", async (t) => {
  t.equal(await printed(withProcess("pwd", { Cwd: "/made/for/it" })), "/made/for/it\n");
  const id = await agent.run("cwd", { args: ["sleep", "1000"] });
  const { code } = await refusal(agent.exec(id, "lost", { args: ["pwd"], cwd: "/not/there" }));
  t.equal(code, Code.internal);
  await agent.remove(id);
});

test("the environment is the document's and HOME that of the user (3.3.10 step 22)", async (t) => {
  writeFileSync(
    join(agent.root, "etc/passwd"),
    "root:x:0:0::/root:/bin/sh\nsomeone:x:77:77::/home/some:/bin/sh\n",
  );
  const env = (uid: number, more: string[] = []) =>
    printed(withProcess("env", { User: { UID: uid }, Env: ["PATH=/bin", "A= b = c ", ...more] }));
  t.match(await env(0), /^HOME=\/root$/m);
  t.match(await env(0), /^A= b = c $/m);
  t.match(await env(77), /^HOME=\/home\/some$/m);
  t.match(await env(78), /^HOME=\/$/m);
  t.match(await env(0, ["HOME=/given"]), /^HOME=\/given$/m);
});

test("a session of its own, signals as a program expects them (3.3.10 steps 15, 28)", async (t) => {
  const id = await agent.run("session", { args: ["sleep", "1000"] });
  await agent.exec(id, "look", {
    args: [
      "sh",
      "-c",
      "cut -d' ' -f1,5,6 /proc/self/stat; grep -E 'SigIgn|SigBlk' /proc/self/status; ls /proc/self/fd",
    ],
  });
  const [ids = "", blocked, ignored, ...fds] = `${await agent.readAll(id, "look")}`.trim().split("\n");
  const [, group, session] = ids.split(" ");
  t.equal(group, session, "it leads both");
  t.match([blocked, ignored].join(), /SigBlk:\t0{16},SigIgn:\t0{16}/);
  // The fourth is the folder that ls reads.
  t.same(fds, ["0", "1", "2", "3"], "no descriptor of the agent or of crun (10.1)");
  await agent.remove(id);
});

test("a program that is there but cannot run is told (3.3.10 step 23)", async (t) => {
  writeFileSync(join(agent.root, "bin/odd"), "no format at all");
  chmodSync(join(agent.root, "bin/odd"), 0o644);
  const id = await agent.run("odd", { args: ["sleep", "1000"] });
  const process = processOf({ args: ["/bin/odd"] });
  const { code } = await refusal(calls.ExecProcess({ container_id: id, exec_id: "odd", process }));
  t.equal(code, Code.internal);
  await agent.remove(id);
});
