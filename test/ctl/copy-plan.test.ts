import { execFileSync } from "node:child_process";
import { mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Test, test } from "tap";
import { type CopyRequest, copyChunkBytes, copyPlan } from "../../src/ctl/copy-plan.ts";
import { runAgentctl } from "../fakes/fake-host.ts";
import { startRecordingAgent } from "../fakes/recording-agent.ts";

const typeMask = 0o170000;
const types = { directory: 0o040000, regular: 0o100000, link: 0o120000 } as const;

async function scratch(t: Test): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "copy-plan-"));
  t.teardown(() => rm(folder, { recursive: true }));
  return folder;
}

async function planOf(source: string): Promise<CopyRequest[]> {
  return Array.fromAsync(copyPlan(source, "/guest", { owner: { uid: 0, gid: 7 } }));
}

const sizes: readonly [bytes: number, chunks: readonly number[]][] = [
  [0, [0]],
  [1, [1]],
  [copyChunkBytes, [copyChunkBytes]],
  [copyChunkBytes + 1, [copyChunkBytes, 1]],
  [2 * copyChunkBytes + 5, [copyChunkBytes, copyChunkBytes, 5]],
];
for (const [bytes, chunks] of sizes) {
  test(`a file of ${bytes} bytes goes in ${chunks.length} request(s), in order, each with the whole size`, async (t) => {
    const source = join(await scratch(t), "file");
    const content = Buffer.alloc(bytes, "0123456789");
    await writeFile(source, content, { mode: 0o640 });
    const plan = await planOf(source);
    t.same(
      plan.map(({ data }) => data.length),
      chunks,
    );
    t.same(
      plan.map(({ offset }) => offset),
      chunks.map((_, index) => BigInt(index * copyChunkBytes)),
    );
    t.ok(
      plan.every((each) => each.file_size === BigInt(bytes) && each.file_mode === (types.regular | 0o640)),
    );
    t.ok(plan.every(({ uid, gid, dir_mode }) => uid === 0 && gid === 7 && dir_mode === 0o750));
    t.ok(Buffer.concat(plan.map(({ data }) => data)).equals(content));
  });
}

test("a directory comes before what is in it, links are copied as links", async (t) => {
  const folder = await scratch(t);
  await mkdir(join(folder, "a"));
  await writeFile(join(folder, "a", "file"), "x");
  await symlink("/does/not/exist", join(folder, "b"));
  const plan = await planOf(folder);
  t.same(
    plan.map(({ path, file_mode }) => [path, file_mode & typeMask]),
    [
      ["/guest", types.directory],
      ["/guest/a", types.directory],
      ["/guest/a/file", types.regular],
      ["/guest/b", types.link],
    ],
  );
  t.match(plan[3], { file_size: 0n, offset: 0n });
  t.equal(Buffer.from(plan[3]?.data ?? []).toString(), "/does/not/exist");
});

test("a FIFO and a missing file are refused", async (t) => {
  const folder = await scratch(t);
  execFileSync("mkfifo", [join(folder, "fifo")]);
  await t.rejects(planOf(join(folder, "fifo")), { name: "UsageError", message: /neither a file/ });
  await t.rejects(planOf(join(folder, "nothing")), { name: "UsageError", message: /ENOENT/ });
});

test("copy sends one request after the other and says how much it was", async (t) => {
  const source = join(await scratch(t), "file");
  await writeFile(source, Buffer.alloc(copyChunkBytes + 3));
  let running = 0;
  let most = 0;
  await using agent = await startRecordingAgent({
    CopyFile: async () => {
      running += 1;
      most = Math.max(most, running);
      await new Promise(setImmediate);
      running -= 1;
      return {};
    },
  });
  const ended = await runAgentctl(["--addr", agent.address, "--json", "copy", source, "/guest/file"]);
  t.match(JSON.parse(ended.stdout), { requests: 2, bytes: copyChunkBytes + 3 });
  t.equal(most, 1);
  t.equal(agent.calls.length, 2);
});

test("run --copy brings the root file system first, and runs in it", async (t) => {
  const folder = await scratch(t);
  await writeFile(join(folder, "app"), "");
  await using agent = await startRecordingAgent();
  await runAgentctl(["--addr", agent.address, "run", "--id", "web", "--copy", folder, "/app"]);
  t.same(
    agent.calls.slice(0, 3).map(({ name, request }) => [name, request["path"]]),
    [
      ["CopyFile", "/run/kata-containers/shared/containers/web/rootfs"],
      ["CopyFile", "/run/kata-containers/shared/containers/web/rootfs/app"],
      ["CreateContainer", undefined],
    ],
  );
  t.match(agent.calls[2]?.request, {
    OCI: { Root: { Path: "/run/kata-containers/shared/containers/web/rootfs" } },
  });
});
