/** shared_mounts of CreateContainer (agent-api 3.3.9): mounts of one container that another one sees. */
import { mkdirSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import t, { test } from "tap";
import { Code } from "../../src/base/code.ts";
import { specOf } from "../fakes/container-spec.ts";
import { eventually, needsRoot, refusal, startAgent } from "../fakes/real-agent.ts";

const agent = await startAgent();
t.teardown(() => agent[Symbol.asyncDispose]());
const { calls } = agent;
await calls.CreateSandbox({ sandbox_id: "shared", hostname: "shared-pod" });

/** A container that mounts something by itself, after its start. */
async function sharer(
  name: string,
  script: string,
  annotation = "io.kubernetes.cri.container-name",
): Promise<string> {
  const container_id = agent.id(name);
  const spec = specOf(agent.root, { args: ["sh", "-c", script] });
  const Bounding = [...(spec.Process?.Capabilities?.Bounding ?? []), "CAP_SYS_ADMIN"];
  const Capabilities = { Bounding, Effective: Bounding, Permitted: Bounding };
  const OCI = {
    ...spec,
    Process: { ...spec.Process, Capabilities },
    Annotations: new Map([[annotation, name]]),
  };
  await calls.CreateContainer({ container_id, OCI });
  await calls.StartContainer({ container_id });
  return container_id;
}

function taker(name: string, script: string, src_ctr: string, src_path: string, dst_path: string) {
  const OCI = specOf(agent.root, { args: ["sh", "-c", script] });
  const shared_mounts = [{ name: "one", src_ctr, src_path, dst_ctr: name, dst_path }];
  return calls.CreateContainer({ container_id: agent.id(name), OCI, shared_mounts });
}

async function printed(name: string): Promise<string> {
  const container_id = agent.id(name);
  await calls.StartContainer({ container_id });
  const output = await agent.readAll(container_id);
  await calls.WaitProcess({ container_id });
  await calls.RemoveContainer({ container_id });
  return `${output}`;
}

test("a mount that a container makes is awaited and seen with all below it", needsRoot, async (t) => {
  const before = agent.traces();
  const mounts =
    "read go; mount -t tmpfs one /tmp && mkdir /tmp/in && mount -t tmpfs two /tmp/in && echo deep >/tmp/in/word && mkdir /mnt/made -p && mount --rbind /tmp /mnt/made; sleep 1000";
  mkdirSync(join(agent.root, "mnt"), { recursive: true });
  const source = await sharer("source", mounts);
  const created = taker(
    "taker",
    "cat /new/place/in/word; echo up >/new/place/back",
    "source",
    "/mnt/made",
    "/new/place",
  );
  await calls.WriteStdin({ container_id: source, data: Buffer.from("go\n") });
  await created;
  t.equal(await printed("taker"), "deep\n");
  await agent.exec(source, "look", { args: ["cat", "/mnt/made/back"] });
  t.equal(`${await agent.readAll(source, "look")}`, "up\n", "it is the same file system");
  await agent.remove(source);
  t.same(agent.traces().mounts, before.mounts, "the guest itself sees nothing of it");
});

test("links lead within the container, and none of the kernel's own out of it", needsRoot, async (t) => {
  const source = await sharer(
    "links",
    "mkdir -p /mnt/links; echo seen >/tmp/word; mount --bind /tmp /mnt/links; sleep 1000",
    "io.kubernetes.cri-o.ContainerName",
  );
  symlinkSync("/inner", join(agent.root, "outward"));
  await taker("linked", "cat /inner/at/word", "links", "/mnt/links", "/outward/at").catch(() => undefined);
  mkdirSync(join(agent.root, "inner"), { recursive: true });
  await calls.RemoveContainer({ container_id: agent.id("linked") }).catch(() => undefined);
  await taker("linked", "cat /inner/at/word", "links", "/mnt/links", "/outward/at");
  t.equal(await printed("linked"), "seen\n");
  symlinkSync("/proc/1/root", join(agent.root, "magic"));
  const before = agent.traces();
  const { code, message } = await refusal(taker("magic", "true", "links", "/mnt/links", "/magic/at"));
  t.equal(code, Code.internal);
  t.match(message, /share a mount.*ELOOP/);
  t.ok(
    await eventually(() => JSON.stringify(agent.traces()) === JSON.stringify(before)),
    "it is undone whole",
  );
  await agent.remove(source);
});

test("one of an unknown container is skipped, one that never appears after its time", async (t) => {
  await taker("nobodys", "ls -d /nothing", "nobody", "/tmp", "/nothing");
  t.equal(await printed("nobodys"), "");
  const source = await sharer("never", "sleep 1000");
  await taker("late", "ls -d /late", "never", "/not/mounted", "/late");
  t.equal(await printed("late"), "");
  t.ok(agent.logLines.some(({ msg }) => msg?.includes("did not appear in time")));
  const given = { container_id: agent.id("hurried"), OCI: specOf(agent.root, { args: ["true"] }) };
  const shared_mounts = [{ src_ctr: "never", src_path: "/not/mounted", dst_path: "/late" }];
  const { code } = await refusal(calls.CreateContainer({ ...given, shared_mounts }, { timeoutMs: 500 }));
  t.equal(code, Code.deadlineExceeded, "the wait ends with its call");
  await agent.remove(source);
});

test("paths that are not clean and absolute are refused", async (t) => {
  for (const path of ["", "relative", "/a/../b", "/a\0b"]) {
    for (const [source, destination] of [
      [path, "/fine"],
      ["/fine", path],
    ] as const) {
      const { code } = await refusal(taker("unclean", "true", "nobody", source, destination));
      t.equal(code, Code.internal, JSON.stringify([source, destination]));
    }
  }
});
