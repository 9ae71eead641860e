import { execFileSync } from "node:child_process";
import { existsSync, readlinkSync, symlinkSync, writeFileSync } from "node:fs";
import { statfs } from "node:fs/promises";
import { join } from "node:path";
import t, { test } from "tap";
import { Code } from "../../src/base/code.ts";
import { version } from "../../src/base/version.ts";
import { specOf } from "../fakes/container-spec.ts";
import { needsRoot, refusal, startAgent } from "../fakes/real-agent.ts";

const agent = await startAgent();
t.teardown(() => agent[Symbol.asyncDispose]());
const { calls } = agent;

const annotation = "io.kubernetes.container.terminationMessagePath";

// agent-api 0.3
test("ResizeVolume is never implemented (agent-api 3.31)", async (t) => {
  for (const volume_guest_path of ["/", "", "/nonexistent"])
    t.equal((await refusal(calls.ResizeVolume({ volume_guest_path, size: 1n }))).code, Code.unimplemented);
});

test("GetVolumeStats tells bytes and inodes, and of the free ones those for everybody (agent-api 3.31)", async (t) => {
  const { usage, volume_condition } = await calls.GetVolumeStats({ volume_guest_path: agent.folder });
  const { bsize, blocks, bavail, bfree, files } = await statfs(agent.folder, { bigint: true });
  const [bytes, inodes, ...others] = usage;
  t.same(others, []);
  t.equal(bytes?.unit, 1);
  t.equal(inodes?.unit, 2);
  t.equal(bytes?.total, blocks * bsize);
  t.equal(inodes?.total, files);
  // The disk is used by others meanwhile; the two differ by what is root's alone.
  const reserved = (bfree - bavail) * bsize;
  t.equal((bytes?.total ?? 0n) - (bytes?.used ?? 0n) - (bytes?.available ?? 0n), reserved);
  t.match(volume_condition, { abnormal: false, message: "OK" });
  t.equal((await refusal(calls.GetVolumeStats({ volume_guest_path: "/nonexistent" }))).code, Code.internal);
});

test("Health serves and tells both versions, whatever service is asked for (agent-api 3.36)", async (t) => {
  for (const service of ["", "grpc.AgentService", "nobody's"]) {
    t.equal((await calls.Check({ service })).status, 1);
    t.match(await calls.Version({ service }), { agent_version: version, grpc_version: "0.0.1" });
  }
});

test("GetGuestDetails tells what is true here (agent-api 3.26)", async (t) => {
  const silent = await calls.GetGuestDetails({});
  t.match(silent, { mem_block_size_bytes: 0n, support_mem_hotplug_probe: false }, "unless it is asked for");
  const asked = await calls.GetGuestDetails({ mem_block_size: true, mem_hotplug_probe: true });
  const memory = "/sys/devices/system/memory";
  t.equal(asked.mem_block_size_bytes > 0n, existsSync(`${memory}/block_size_bytes`));
  t.equal(asked.support_mem_hotplug_probe, existsSync(`${memory}/probe`));
  const { init_daemon, extra_features, supports_seccomp } = asked.agent_details ?? {};
  t.equal(init_daemon, true);
  t.same(extra_features, [...(extra_features ?? [])].sort());
  t.equal(extra_features?.includes("seccomp"), supports_seccomp);
});

test("what belongs to the machine is not changed from a borrowed world (agent-api 3.25, 3.27, 3.28, 3.30)", async (t) => {
  const refused = { code: Code.internal, message: /EPERM/ };
  t.match(await refusal(calls.SetGuestDateTime({ Sec: 1n, Usec: 0n })), refused);
  t.match(await refusal(calls.ReseedRandomDev({ data: Buffer.alloc(512) })), refused);
  t.match(await refusal(calls.MemHotplugByProbe({ memHotplugProbeAddr: [0x4000_0000n] })), refused);
  t.match(await refusal(calls.AddSwapPath({ path: "/dev/null" })), refused);
  await calls.OnlineCPUMem({ nb_cpus: 1 });
});

// agent-api 0.3
test(
  "GetDiagnosticData gives a container's last words, at most 4 KiB (agent-api 3.34)",
  needsRoot,
  async (t) => {
    const source = join(agent.folder, "termination-log");
    const mount = { destination: "/dev/termination-log", source, type: "bind", options: ["bind", "rw"] };
    const spec = specOf(agent.root, { args: ["/bin/sh", "-c", "echo out of luck >/dev/termination-log"] });
    writeFileSync(source, "");
    const container_id = agent.id("words");
    const Annotations = new Map([[annotation, mount.destination]]);
    await calls.CreateContainer({
      container_id,
      OCI: { ...spec, Annotations, Mounts: [...(spec.Mounts ?? []), mount] },
    });
    await calls.StartContainer({ container_id });
    await calls.WaitProcess({ container_id });
    const ask = (log_type = "termination_log", id = container_id) =>
      calls.GetDiagnosticData({ log_type, container_id: id });
    t.equal((await ask()).data, "out of luck\n");
    writeFileSync(source, Buffer.concat([Buffer.from([0xff]), Buffer.alloc(10_000, "x")]));
    t.equal((await ask()).data, `\ufffd${"x".repeat(4095)}`, "and what is no UTF-8 is replaced");
    t.equal((await refusal(ask("other"))).code, Code.invalidArgument);
    t.equal((await refusal(ask("termination_log", agent.id("nobody")))).code, Code.internal);
    await calls.RemoveContainer({ container_id });
    t.equal((await refusal(ask())).code, Code.internal);
    const plain = await agent.create("plain", { args: ["true"] });
    t.equal((await refusal(ask("termination_log", plain))).code, Code.internal, "without the annotation");
    await calls.RemoveContainer({ container_id: plain });
  },
);

test("a termination message that is a link is not followed", needsRoot, async (t) => {
  const [source, secret] = [join(agent.folder, "message"), join(agent.folder, "secret")];
  writeFileSync(secret, "secret");
  writeFileSync(source, "");
  const mount = { destination: "/message", source, type: "bind", options: ["bind"] };
  const spec = specOf(agent.root, { args: ["true"] });
  writeFileSync(join(agent.root, "message"), "");
  const container_id = agent.id("link");
  const Annotations = new Map([[annotation, mount.destination]]);
  await calls.CreateContainer({
    container_id,
    OCI: { ...spec, Annotations, Mounts: [...(spec.Mounts ?? []), mount] },
  });
  execFileSync("rm", [source]);
  symlinkSync(secret, source);
  const { code, message } = await refusal(
    calls.GetDiagnosticData({ log_type: "termination_log", container_id }),
  );
  t.equal(code, Code.internal);
  t.notMatch(message, /secret/);
  await calls.RemoveContainer({ container_id });
});

const modprobe = "/sbin/modprobe";
const needsModprobe = {
  skip: needsRoot.skip || (existsSync(modprobe) ? false : "no modprobe here"),
} as const;

/** Puts a script in the place of modprobe, in the agent's own mounts only. */
function standIn(script: string): void {
  const file = join(agent.folder, `modprobe-${Math.random().toString(36).slice(2)}`);
  writeFileSync(file, `#!/bin/sh\n${script}\n`, { mode: 0o755 });
  const world = `/proc/${agent.pid}/ns/mnt`;
  if (readlinkSync(world) === readlinkSync("/proc/self/ns/mnt")) throw new Error("not in a world of its own");
  execFileSync("nsenter", [`--mount=${world}`, "mount", "--bind", file, modprobe]);
}

test(
  "kernel modules are loaded by modprobe -v, and its complaint is told within bounds (agent-api 3.1 step 3)",
  needsModprobe,
  async (t) => {
    const create = (name: string, parameters: string[] = []) =>
      refusal(calls.CreateSandbox({ sandbox_id: "modules", kernel_modules: [{ name, parameters }] }));
    standIn('echo "asked for $*"; echo complaint >&2; exit 7');
    t.same(await create("some-module", ["a=1", "b=two words"]), {
      code: Code.internal,
      message:
        "modprobe some-module ended with status 7, stdout: asked for -v -- some-module a=1 b=two words, stderr: complaint",
    });
    standIn("head -c 60000 /dev/zero | tr '\\0' x; head -c 60000 /dev/zero | tr '\\0' y >&2; exit 1");
    const { code, message } = await create("chatty");
    t.equal(code, Code.internal);
    t.ok(message.length < 2_200, `${message.length} characters`);
    standIn("head -c 9000000 /dev/zero");
    t.equal((await create("endless")).code, Code.internal);
    for (const name of ["", "-r", "a\0b"])
      t.equal((await create(name)).code, Code.internal, JSON.stringify(name));
    standIn("exit 0");
    t.equal((await create("good")).code, 0, "after all that failed it may be asked for again");
  },
);
