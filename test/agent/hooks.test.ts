/** Hooks of a container (agent-api 3.3.6) and of the guest image (3.1 step 6), run for real. */
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readFileSync,
  readlinkSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import t, { test } from "tap";
import { Code } from "../../src/base/code.ts";
import type { Input } from "../../src/gen/message-type.ts";
import type { Hook, Hooks, Spec } from "../../src/gen/oci.ts";
import { specOf } from "../fakes/container-spec.ts";
import { eventually, needsRoot, refusal, startAgent } from "../fakes/real-agent.ts";

const agent = await startAgent();
t.teardown(() => agent[Symbol.asyncDispose]());
const { calls } = agent;
const guestHooks = join(agent.folder, "guest-hooks");
const seen = join(agent.folder, "seen");
for (const folder of ["prestart", "poststart", "poststop"])
  mkdirSync(join(guestHooks, folder), { recursive: true });
mkdirSync(seen);
/** What every hook of these tests does: tells where and how it was run, into files of its own. */
const told = (name: string) =>
  `#!/bin/sh\ncat >${seen}/${name}.state\n{ echo "$0 $*"; readlink /proc/self/ns/mnt; readlink /proc/self/ns/uts; env | sort; } >${seen}/${name}\n`;

function program(path: string, text: string, mode = 0o755): void {
  writeFileSync(path, text);
  chmodSync(path, mode);
}

for (const stage of ["prestart", "poststart", "poststop"]) {
  program(join(guestHooks, stage, "b-second"), told(`guest-${stage}`));
  program(join(guestHooks, stage, "a-plain"), told(`never-${stage}`), 0o644);
  symlinkSync("b-second", join(guestHooks, stage, "c-link"));
}
await calls.CreateSandbox({ sandbox_id: "hooks", hostname: "hooks-pod", guest_hook_path: guestHooks });

const lines = (name: string) => readFileSync(join(seen, name), "utf8").trimEnd().split("\n");
const stateOf = (name: string) => JSON.parse(readFileSync(join(seen, `${name}.state`), "utf8"));
const ownNamespace = (type: string) => readlinkSync(`/proc/${agent.pid}/ns/${type}`);
const logged = (stage: string) => agent.logLines.filter((line) => line["stage"] === stage);

function withHooks(script: string, hooks: Input<Hooks>): Input<Spec> {
  return { ...specOf(agent.root, { args: ["sh", "-c", script] }), Hooks: hooks };
}

async function life(name: string, OCI: Input<Spec>): Promise<{ id: string; status: number; output: string }> {
  const id = agent.id(name);
  await calls.CreateContainer({ container_id: id, OCI });
  await calls.StartContainer({ container_id: id });
  const output = `${await agent.readAll(id)}`;
  const { status } = await calls.WaitProcess({ container_id: id });
  await calls.RemoveContainer({ container_id: id });
  return { id, status, output };
}

test("guest hooks are run for every container, in the agent's namespaces (3.1 step 6, 3.3.6)", async (t) => {
  const { id } = await life("guest", withHooks("true", {}));
  const status = { prestart: "created", poststart: "running", poststop: "stopped" };
  for (const [stage, expected] of Object.entries(status)) {
    const [first, mounts, uts] = lines(`guest-${stage}`);
    // A script is told its path in the place of the name it was run by.
    t.equal(first, `${guestHooks}/${stage}/b-second ${stage}`, "args are the file's name and the type");
    t.same([mounts, uts], [ownNamespace("mnt"), ownNamespace("uts")], stage);
    const state = stateOf(`guest-${stage}`);
    t.match(state, { id, status: expected, bundle: `/run/kata-containers/${id}` }, stage);
    t.equal(typeof state.pid, "number");
    t.notOk(existsSync(join(seen, `never-${stage}`)), "what is not executable is no hook");
    t.same(
      logged(stage).map(({ msg, how, number }) => [msg, how, number]),
      [["hook ended", "exited", 0]],
    );
  }
});

test("hooks of a spec are run with their own environment and arguments, each in its place (3.3.6)", async (t) => {
  const hook = (name: string): Input<Hook> => {
    program(join(agent.folder, name), told(name));
    return { Path: join(agent.folder, name), Args: ["named", "one two", ""], Env: ["OWN=a = b"] };
  };
  // Inside there is only the container's own root, whose output is the way out.
  program(join(agent.root, "bin/inner"), "#!/bin/sh\n{ cat; echo; echo $*; env; } >/inner-told\n");
  const hooks = {
    Prestart: [hook("spec-prestart")],
    CreateRuntime: [hook("spec-create-runtime")],
    CreateContainer: [hook("spec-create-container")],
    StartContainer: [{ Path: "/bin/inner", Args: ["inner", "x"], Env: ["PATH=/bin", "OWN=y"] }],
    Poststart: [hook("spec-poststart")],
    Poststop: [hook("spec-poststop")],
  };
  const { id, output } = await life("spec", {
    ...withHooks("cat /inner-told", hooks),
    Annotations: new Map([["a", "b"]]),
  });
  for (const stage of ["prestart", "poststart", "poststop", "create-container"]) {
    const [first, mounts, , ...env] = lines(`spec-${stage}`);
    t.equal(first, `${agent.folder}/spec-${stage} one two `, stage);
    t.equal(mounts === ownNamespace("mnt"), stage !== "create-container", `${stage}: where it runs`);
    t.same(
      env.filter((entry) => !/^(PWD|SHLVL|_|OLDPWD)=/.test(entry)),
      ["OWN=a = b"],
      `${stage}: nothing else in the environment`,
    );
    t.match(stateOf(`spec-${stage}`), { id, annotations: { a: "b" } }, stage);
  }
  t.notOk(existsSync(join(seen, "spec-create-runtime")), "that one is the host's");
  const [state = "", args, ...env] = output.trimEnd().split("\n");
  t.match(JSON.parse(state), { id, status: "created", bundle: /./ });
  t.equal(args, "x");
  t.ok(env.includes("OWN=y"));
  t.notOk(env.some((entry) => /^(A|SECRET)=/.test(entry)));
});

test("hooks that fail, hang or are not there fail no request, and are told (3.3.6)", async (t) => {
  program(join(agent.folder, "fails"), "#!/bin/sh\necho first >&2\necho 'the last word' >&2\nexit 3\n");
  program(join(agent.folder, "hangs"), "#!/bin/sh\necho waiting >&2\nsleep 1000 & sleep 1000\n");
  program(join(agent.folder, "killed"), "#!/bin/sh\nkill -9 $$\n");
  program(
    join(agent.folder, "loud"),
    "#!/bin/sh\nhead -c 3000000 /dev/zero | tr '\\0' x\nhead -c 300000 /dev/zero | tr '\\0' x >&2\n",
  );
  program(join(agent.root, "bin/fails-inside"), "#!/bin/sh\necho inside >&2\nexit 4\n");
  const bad = ["fails", "hangs", "killed", "not-there", "loud"].map((name) => ({
    Path: join(agent.folder, name),
    // It has to have said its word by then.
    Timeout: name === "hangs" ? 3n : 120n,
  }));
  const before = logged("prestart").length;
  const traces = agent.traces();
  const hooks = {
    Prestart: bad,
    CreateContainer: bad,
    StartContainer: [
      { Path: "/bin/fails-inside" },
      { Path: "/not/inside" },
      { Path: "/bin/sleep", Args: ["sleep", "1000"], Timeout: 1n },
    ],
    Poststart: bad,
    Poststop: bad,
  };
  const { status, output } = await life("bad", withHooks("echo ran; exit 9", hooks));
  t.same([output, status], ["ran\n", 9]);
  const expected = [
    { how: "exited", number: 3, lastLine: "the last word" },
    { how: "timeout", lastLine: "waiting" },
    { how: "signaled", number: 9 },
    { how: "exited", number: 127, lastLine: /cannot run the hook: No such file/ },
    { how: "exited", number: 0, lastLine: "x".repeat(200) },
  ];
  t.match(logged("prestart").slice(before, before + 5), expected);
  t.match(logged("createContainer").slice(-5), expected);
  t.match(logged("poststop").slice(-6, -1), expected);
  t.match(logged("startContainer").slice(-3), [
    { how: "exited", number: 4, lastLine: "inside" },
    { how: "failed", lastLine: /not found|No such file/ },
    { how: "timeout" },
  ]);
  t.ok(
    await eventually(() => JSON.stringify(agent.traces()) === JSON.stringify(traces)),
    "nothing of them is left",
  );
});

test("a hook that never stops talking ends at its time all the same (3.3.6)", needsRoot, async (t) => {
  const path = join(agent.folder, "floods");
  program(path, "#!/bin/sh\nfor each in 1 2 3 4; do yes >&2 & done\nyes\n");
  const { status } = await life("flooded", withHooks("exit 9", { Prestart: [{ Path: path, Timeout: 3n }] }));
  t.equal(status, 9);
  t.match(logged("prestart").slice(-2, -1), [{ how: "timeout", lastLine: "y" }]);
});

test("a hook in a container with users of its own is told too (3.3.6)", needsRoot, async (t) => {
  const map = [{ ContainerID: 0, HostID: 100_000, Size: 65_536 }];
  const script = "id -u >&2; cut -d' ' -f3 /proc/self/uid_map >/dev/null; exit 5";
  const spec = withHooks("true", {
    CreateContainer: [{ Path: "/bin/sh", Args: ["sh", "-c", script], Env: ["PATH=/bin"] }],
  });
  const Namespaces = [{ Type: "ipc" }, { Type: "uts" }, { Type: "mount" }, { Type: "user" }];
  await life("users", { ...spec, Linux: { ...spec.Linux, Namespaces, UIDMappings: map, GIDMappings: map } });
  t.match(logged("createContainer").at(-1), { how: "exited", number: 5, lastLine: "0" });
});

test("a hook by a path that is not absolute is refused before anything is made", async (t) => {
  const before = agent.traces();
  const OCI = withHooks("true", { Prestart: [{ Path: "hook" }] });
  const { code } = await refusal(calls.CreateContainer({ container_id: agent.id("relative"), OCI }));
  t.equal(code, Code.internal);
  t.same(agent.traces(), before);
});
