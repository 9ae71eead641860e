/** Fields that no honest runtime sends (agent-api 10.1, host data): an error before anything is made, and nothing left. */
import { execFileSync } from "node:child_process";
import {
  copyFileSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readlinkSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import t, { type Test, test } from "tap";
import { Code } from "../../src/base/code.ts";
import type { CreateContainerRequest } from "../../src/gen/agent.ts";
import type { Input } from "../../src/gen/message-type.ts";
import type { Linux, LinuxDevice, LinuxDeviceCgroup, Spec } from "../../src/gen/oci.ts";
import { processOf, specOf } from "../fakes/container-spec.ts";
import { needsRoot, refusal, startAgent } from "../fakes/real-agent.ts";

const agent = await startAgent();
t.teardown(() => agent[Symbol.asyncDispose]());
const { calls } = agent;
const protocols = { ttRPC: calls, gRPC: await agent.connectGrpc() };
const share = "/run/kata-containers/shared/containers";
await calls.CreateSandbox({ sandbox_id: "hostile", hostname: "hostile-pod" });

await agent.remove(await agent.run("first", { args: ["true"] }));

const spec = specOf(agent.root, { args: ["true"] });
const withLinux = (linux: Input<Linux>): Input<Spec> => ({ ...spec, Linux: { ...spec.Linux, ...linux } });

/** Each create is refused with INTERNAL and a text that tells nothing of the agent's own, and leaves nothing. */
async function refused(
  t: Test,
  cases: Readonly<Record<string, Input<CreateContainerRequest>>>,
): Promise<void> {
  const before = agent.traces();
  for (const [what, request] of Object.entries(cases)) {
    for (const [protocol, { CreateContainer }] of Object.entries(protocols)) {
      const container_id = agent.id("refused");
      const { code, message } = await refusal(CreateContainer({ container_id, OCI: spec, ...request }));
      t.equal(code, Code.internal, `${what} by ${protocol}: ${message.slice(0, 200)}`);
      t.notMatch(message, /\n|\.ts\b|\/proc\/self|kata-hook|\.agent/, `${what} by ${protocol}`);
    }
  }
  t.same(agent.traces(), before);
}

test("devices of a spec lie below /dev and have a type and a number (agent-api 3.3.11 step 3)", async (t) => {
  const device = { Path: "/dev/odd", Type: "c", Major: 1n, Minor: 3n };
  const bad: Readonly<Record<string, Input<LinuxDevice>>> = {
    "no type": { Type: "" },
    "unknown type": { Type: "q" },
    "endless type": { Type: "c".repeat(100_000) },
    elsewhere: { Path: "/etc/odd" },
    relative: { Path: "dev/odd" },
    climbing: { Path: "/dev/../etc/odd" },
    "the folder itself": { Path: "/dev" },
    "the folder with a slash": { Path: "/dev/" },
    "the folder with a dot": { Path: "/dev/." },
    "a negative number": { Major: -1n },
    "a number that would be cut": { Major: 2n ** 32n + 1n },
    "a minor that would be cut": { Minor: 2n ** 20n },
    "a name that is too long": { Path: `/dev/${"a".repeat(256)}` },
  };
  const cases = Object.entries(bad).map(([what, wrong]) => [
    what,
    { OCI: withLinux({ Devices: [{ ...device, ...wrong }] }) },
  ]);
  await refused(t, Object.fromEntries(cases));
  const container_id = agent.id("odd-mode");
  const OCI = withLinux({ Devices: [{ ...device, Path: "/dev//./odd", FileMode: 0xffffffff }] });
  await calls.CreateContainer({ container_id, OCI });
  await calls.RemoveContainer({ container_id });
});

test("rules about devices have known words and numbers (agent-api 10.1)", async (t) => {
  const rule = { Allow: true, Type: "c", Major: 1n, Minor: 3n, Access: "r" };
  const bad: Readonly<Record<string, Input<LinuxDeviceCgroup>>> = {
    "unknown type": { Type: "z" },
    "unknown access": { Access: "rx" },
    "endless access": { Access: "r".repeat(100_000) },
    "a number that would be cut": { Major: 2n ** 62n },
  };
  const cases = Object.entries(bad).map(([what, wrong]) => [
    what,
    { OCI: withLinux({ Resources: { Devices: [{ ...rule, ...wrong }] } }) },
  ]);
  await refused(t, Object.fromEntries(cases));
});

test("the user that the kernel takes for no change is no user (agent-api 10.1, privileges)", async (t) => {
  const process = processOf({ args: ["true"] });
  const nobody = 0xffff_ffff;
  const users = {
    user: { UID: nobody },
    group: { GID: nobody },
    "more groups": { AdditionalGids: [1, nobody] },
  };
  const cases = Object.entries(users).map(([what, User]) => [
    what,
    { OCI: { ...spec, Process: { ...process, User } } },
  ]);
  await refused(t, Object.fromEntries(cases));
  const container_id = await agent.run("users", { args: ["sleep", "1000"] });
  const exec = { container_id, exec_id: "exec", process: { ...process, User: { UID: nobody } } };
  t.equal((await refusal(calls.ExecProcess(exec))).code, Code.internal);
  await agent.remove(container_id);
});

test("hooks that the kernel could not start are refused, and so are too many (agent-api 3.3.6)", async (t) => {
  const hooks = {
    "a path that is too long": [{ Path: `/${"a".repeat(4096)}` }],
    "an argument that is too long": [{ Path: "/bin/true", Args: ["a".repeat(128 * 1024)] }],
    "a variable that is too long": [{ Path: "/bin/true", Env: [`A=${"a".repeat(128 * 1024)}`] }],
    "arguments that are too long together": [
      { Path: "/bin/true", Args: Array(16).fill("a".repeat(64 * 1024)) },
    ],
    "too many": Array(257).fill({ Path: "/bin/true" }),
  };
  const cases = Object.entries(hooks).map(([what, Prestart]) => [
    what,
    { OCI: { ...spec, Hooks: { Prestart } } },
  ]);
  await refused(t, Object.fromEntries(cases));
});

test("groups are neither as deep nor as long as the kernel would bear (agent-api 5.3, 10.3)", async (t) => {
  await refused(t, {
    deep: { OCI: withLinux({ CgroupsPath: `/${agent.id("deep")}${"/a".repeat(2000)}` }) },
    long: { OCI: withLinux({ CgroupsPath: `/${agent.id("long")}/${"a".repeat(256)}` }) },
  });
});

test("no folder is made behind a link of the share (agent-api 10.1)", needsRoot, async (t) => {
  mkdirSync(agent.path(share), { recursive: true });
  symlinkSync(agent.folder, agent.path(`${share}/link`));
  const mount_point = `${share}/link/made`;
  const create = `io.katacontainers.volume.overlayfs.create_directory=${mount_point}`;
  const overlay = { driver: "overlayfs", source: "overlay", fstype: "overlay", driver_options: [create] };
  await refused(t, {
    local: { storages: [{ driver: "local", source: "local", mount_point }] },
    "for an overlay": {
      storages: [{ ...overlay, mount_point: "/run/overlay", options: ["lowerdir=/nope"] }],
    },
  });
  for (const options of [[], ["size=1M"]]) {
    const storages = [{ driver: "ephemeral", source: "tmpfs", fstype: "tmpfs", mount_point, options }];
    t.equal((await refusal(calls.UpdateEphemeralMounts({ storages }))).code, Code.internal);
  }
  t.notOk(existsSync(join(agent.folder, "made")));
  t.ok(lstatSync(agent.path(`${share}/link`)).isSymbolicLink());
});

test("the target of a link that cannot be is not told (agent-api 3.23 step 4, 10.3)", async (t) => {
  const link = { path: `${share}/untold`, file_mode: 0o120777, dir_mode: 0o755, uid: 0, gid: 0 };
  const targets = { empty: "", "with a NUL": "secret\0", long: "secret".repeat(1000) };
  for (const [what, target] of Object.entries(targets)) {
    const data = Buffer.from(target);
    for (const { CopyFile } of Object.values(protocols)) {
      const { code, message } = await refusal(CopyFile({ ...link, file_size: BigInt(data.length), data }));
      t.equal(code, Code.internal, what);
      t.notMatch(message, /secret|Buffer|kata-link/, what);
    }
  }
});

test("a watchable mount with a name that cannot be is refused in its own words (agent-api 7)", async (t) => {
  mkdirSync(agent.path(`${share}/watchable`), { recursive: true });
  const watchable = { driver: "watchable-bind", source: agent.folder, fstype: "bind", options: ["bind"] };
  const mount_point = `${share}/watchable/${"a".repeat(256)}`;
  await refused(t, { long: { storages: [{ ...watchable, mount_point }] } });
});

test("sizes that no terminal has are refused (agent-api 10.3)", async (t) => {
  const container_id = await agent.create("sizes", { args: ["sh"], terminal: true });
  for (const size of [
    { row: 0x10000, column: 1 },
    { row: 1, column: 0xffff_ffff },
  ]) {
    t.equal((await refusal(calls.TtyWinResize({ container_id, ...size }))).code, Code.internal);
  }
  await calls.TtyWinResize({ container_id, row: 0xffff, column: 0xffff });
  await calls.RemoveContainer({ container_id });
});

/**
 * Puts a crun into the place of the agent's, in the agent's own mounts only, that fails until there is a file `gate`.
 * @returns the path of the gate.
 */
function breakCrun(): string {
  const [real, broken, gate] = ["real-crun", "broken-crun", "gate"].map((name) => join(agent.folder, name));
  const world = `/proc/${agent.pid}/ns/mnt`;
  if (readlinkSync(world) === readlinkSync("/proc/self/ns/mnt")) throw new Error("not in a world of its own");
  const crun = execFileSync("sh", ["-c", "command -v crun"], { encoding: "utf8" }).trim();
  copyFileSync(crun, `${real}`);
  writeFileSync(`${broken}`, `#!/bin/sh\n[ -e ${gate} ] && exec ${real} "$@"\nexit 1\n`, { mode: 0o755 });
  execFileSync("nsenter", [`--mount=${world}`, "mount", "--bind", `${broken}`, crun]);
  return `${gate}`;
}

test(
  "DestroySandbox fails while a container cannot be ended, and the agent goes on (agent-api 3.2)",
  needsRoot,
  async (t) => {
    const container_id = await agent.run("stays", { args: ["sleep", "1000"] });
    // One without groups of its own would end without crun.
    mkdirSync(agent.path(`/sys/fs/cgroup/${container_id}/below`));
    const gate = breakCrun();
    t.equal((await refusal(calls.DestroySandbox({}))).code, Code.internal);
    t.equal((await calls.Check({})).status, 1);
    t.equal((await refusal(calls.StatsContainer({ container_id }))).code, 0, "the container is still known");
    writeFileSync(gate, "");
    t.equal((await refusal(calls.DestroySandbox({}))).code, 0);
    t.match(await agent.ended, { code: 0 });
  },
);
