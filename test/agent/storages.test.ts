import {
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statfsSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import t, { test } from "tap";
import { Code } from "../../src/base/code.ts";
import { specOf } from "../fakes/container-spec.ts";
import { needsRoot, refusal, startAgent } from "../fakes/real-agent.ts";

const agent = await startAgent();
t.teardown(() => agent[Symbol.asyncDispose]());
const { calls } = agent;
const base = "/run/kata-containers/volumes";
const gid = 4321;

type Wanted = NonNullable<Parameters<typeof calls.CreateContainer>[0]["storages"]>[number];

const create = (name: string, storages: Wanted[]) =>
  calls.CreateContainer({
    container_id: agent.id(name),
    OCI: specOf(agent.root, { args: ["sleep", "1000"] }),
    storages,
  });
const volumes = () => agent.traces().mounts.filter((point) => point.startsWith(base));
const bind = (source: string, mount_point: string, more: Partial<Wanted> = {}): Wanted => ({
  driver: "bind",
  source,
  mount_point,
  options: ["bind"],
  ...more,
});
const tmpfs = (mount_point: string, options: string[] = [], more: Partial<Wanted> = {}): Wanted => ({
  driver: "virtio-fs",
  source: "none",
  fstype: "tmpfs",
  mount_point,
  options,
  ...more,
});

/** A folder of the test's own, which the agent sees under the same path. */
function folder(name: string): string {
  const path = join(agent.folder, name);
  mkdirSync(join(path, "deep"), { recursive: true });
  writeFileSync(join(path, "file"), "content", { mode: 0o600 });
  return path;
}

test(
  "a volume is bound, given to its group and taken away with its last container (4.1, 4.3)",
  needsRoot,
  async (t) => {
    const source = folder("bound");
    const outside = folder("outside");
    symlinkSync(outside, join(source, "link"));
    const at = `${base}/shared`;
    const volume = bind(source, at, { fs_group: { group_id: gid, group_change_policy: 0 } });
    await create("one", [volume]);
    await create("two", [volume]);
    t.same(volumes(), [at]);
    t.equal(statSync(join(source, "file")).gid, gid);
    t.equal(lstatSync(join(source, "deep")).mode & 0o7777, 0o2775);
    t.equal(statSync(join(outside, "file")).gid, 0, "nothing behind a link is changed");
    await agent.remove(agent.id("one"));
    t.same(volumes(), [at]);
    await agent.remove(agent.id("two"));
    t.same(volumes(), []);
    t.throws(() => statSync(agent.path(at)), { code: "ENOENT" }, "the empty mount point is gone");
    t.equal(readFileSync(join(source, "file"), "utf8"), "content", "and the volume is not");
  },
);

test("the group of a volume ends where another mount begins (4.1)", needsRoot, async (t) => {
  const source = folder("crossed");
  await create("cross", [
    bind(source, `${base}/crossed`),
    tmpfs(`${base}/crossed/deep`, ["mode=700"]),
    bind(`${base}/crossed`, `${base}/again`, {
      options: ["rbind"],
      fs_group: { group_id: gid, group_change_policy: 0 },
    }),
  ]);
  t.equal(statSync(join(source, "file")).gid, gid);
  const inner = statSync(agent.path(`${base}/again/deep`));
  t.same([inner.gid, inner.mode & 0o7777], [0, 0o700]);
  await agent.remove(agent.id("cross"));
  t.same(volumes().length, 0);
});

test("a read-only volume keeps its groups, and the container comes up", needsRoot, async (t) => {
  const fs_group = { group_id: gid, group_change_policy: 0 };
  await create("ro", [tmpfs(`${base}/ro`, ["ro", "mode=755"], { fs_group })]);
  t.equal(statSync(agent.path(`${base}/ro`)).gid, 0);
  await agent.remove(agent.id("ro"));
});

test("a file is bound on a file that is made for it and goes with it (4.1)", async (t) => {
  const source = folder("files");
  await create("file", [bind(join(source, "file"), `${base}/x/file`)]);
  t.equal(readFileSync(agent.path(`${base}/x/file`), "utf8"), "content");
  await agent.remove(agent.id("file"));
  t.same(readdirSync(agent.path(`${base}/x`)), []);
});

test("words for the agent never reach the kernel, which would refuse them (4.1)", async (t) => {
  const words = ["io.katacontainers.volume.x=1", "X-kata.multi-layer.y", "size=1048576", "noexec"];
  await create("words", [tmpfs(`${base}/words`, words)]);
  t.match(
    readFileSync(`/proc/${agent.pid}/mounts`, "utf8"),
    /volumes\/words tmpfs rw,noexec,relatime,size=1024k/,
  );
  await agent.remove(agent.id("words"));
});

test("a list that fails is undone, and leaves nothing to hinder the next", async (t) => {
  const source = folder("undone");
  const before = agent.traces();
  for (const [storage, message] of [
    [{ driver: "blk-ccw", source: "0.1.0001" }, /^Failed to find the storage handler blk-ccw$/],
    [{ driver: "9p", source: "tag" }, /9p/],
    [{ driver: "virtio-fs", fstype: "no-such-fs", source: "x" }, /^mount no-such-fs on .*ENODEV/],
    [bind("relative", "/x"), /bind source/],
    [bind("/no/such/source", `${base}/b`), /ENOENT/],
    [
      { driver: "ephemeral", fstype: "hugetlbfs", options: ["pagesize=2097152,size=2097152"] },
      /EPERM: huge pages/,
    ],
    [tmpfs(`${base}/loop`, ["loop"]), /loop/],
  ] as [Wanted, RegExp][]) {
    const list = [
      bind(source, `${base}/first`),
      tmpfs(`${base}/first/deep`),
      { mount_point: `${base}/last/of/all`, ...storage },
    ];
    const { code, message: text } = await refusal(create("undone", list));
    t.equal(code, Code.internal);
    t.match(text, message);
    t.same(agent.traces(), before);
    t.throws(() => statSync(agent.path(`${base}/last`)), { code: "ENOENT" });
  }
});

test("a mount point below the share is where its name says, never behind a link of the host (10.1)", async (t) => {
  const share = "/run/kata-containers/shared/containers";
  const outside = folder("behind");
  mkdirSync(agent.path(share), { recursive: true });
  symlinkSync(outside, agent.path(`${share}/link`));
  for (const mount_point of [`${share}/link`, `${share}/link/deep`, `${share}//link/new/folder/`]) {
    const { message } = await refusal(create("led", [tmpfs(mount_point)]));
    t.match(message, /leads over a link/);
  }
  const mine = { driver: "local", source: "local", fstype: "local", options: ["mode=0777"] };
  const marker = `io.katacontainers.volume.overlayfs.create_directory=${share}/link/made`;
  const overlay = { ...tmpfs(`${base}/over`), driver: "overlayfs", driver_options: [marker] };
  const before = statSync(`${outside}/deep`).mode;
  for (const storage of [{ ...mine, mount_point: `${share}/link/deep` }, overlay])
    t.match((await refusal(create("led", [storage]))).message, /leads over a link/, storage.driver);
  const grown = { ...tmpfs(`${share}/link/grown`), driver: "ephemeral" };
  t.match((await refusal(calls.UpdateEphemeralMounts({ storages: [grown] }))).message, /leads over a link/);
  t.equal(statSync(`${outside}/deep`).mode, before);
  t.same(readdirSync(outside).sort(), ["deep", "file"], "nothing is made there");
  await create("led", [tmpfs(`${share}/straight/on`)]);
  await agent.remove(agent.id("led"));
});

test("the share is mounted once, and stays until the request that mounted it lets go (4.1)", async (t) => {
  const at = `${base}/share`;
  await create("mounts", [tmpfs(at)]);
  const again = { driver: "virtio-fs", source: "kataShared", fstype: "virtiofs", mount_point: `${at}/` };
  await create("finds", [again]);
  t.same(volumes(), [at]);
  await agent.remove(agent.id("finds"));
  t.same(volumes(), [at], "what was found in place is somebody else's");
  await agent.remove(agent.id("mounts"));
  t.same(volumes(), []);
});

test("a disk that does not come is waited for, and the error tells so (5.2)", async (t) => {
  const missing = [
    ["blk", "1f/1e"],
    ["scsi", "99:99"],
    ["mmioblk", "/dev/no-such-disk"],
    ["nvdimm", "/dev/pmem99"],
  ] as const;
  const refusals = missing.map(([driver, source]) =>
    refusal(create(driver, [{ driver, source, fstype: "ext4", mount_point: `${base}/${driver}` }])),
  );
  for (const { code, message } of await Promise.all(refusals)) {
    t.equal(code, Code.internal);
    t.match(message, /^block device did not come within \d+ ms$/);
  }
  for (const [driver, source] of [
    ["blk", "zz"],
    ["blk", "/dev/../etc/passwd"],
    ["blk", "/dev/null"],
    ["scsi", "1"],
    ["mmioblk", "/etc/passwd"],
  ] as const) {
    const disk = { driver, source, fstype: "ext4", mount_point: `${base}/disk` };
    t.match((await refusal(create("disk", [disk]))).message, /invalid|device path/, source);
  }
});

test("a volume that shall be encrypted is never mounted without (4.2)", async (t) => {
  const disk = (driver_options: string[], fstype = "ext4") =>
    refusal(
      create("secret", [{ driver: "blk", source: "01", fstype, mount_point: `${base}/s`, driver_options }]),
    );
  t.match(await disk(["encryption_key=ephemeral", "create_filesystem"]), { code: Code.unimplemented });
  t.match(await disk(["encryption_key=ephemeral"]), { code: Code.internal });
  t.match(await disk(["create_filesystem"], "xfs"), { message: "only ext4 file systems can be created" });
});

test(
  "memory of the pod has its size, mode and group, outlives containers and can grow (3.16, 4.2)",
  needsRoot,
  async (t) => {
    const at = `${base}/memory`;
    const storage = {
      driver: "ephemeral",
      source: "shm",
      fstype: "tmpfs",
      mount_point: at,
      options: ["noexec", "nosuid", "nodev", "mode=1777", "size=1048576", `fsgid=${gid}`],
    };
    const bytes = () => {
      const { blocks, bsize } = statfsSync(agent.path(at));
      return blocks * bsize;
    };
    await create("memory", [storage]);
    t.equal(bytes(), 1 << 20);
    const { mode, gid: group } = statSync(agent.path(at));
    t.same([group, mode & 0o7777], [gid, 0o3777]);
    writeFileSync(agent.path(`${at}/kept`), "kept");
    await agent.remove(agent.id("memory"));
    await calls.UpdateEphemeralMounts({
      storages: [{ ...storage, options: ["remount", "size=2M", `fsgid=${gid}`] }],
    });
    t.equal(bytes(), 2 << 20);
    await create("again", [storage]);
    t.equal(readFileSync(agent.path(`${at}/kept`), "utf8"), "kept");
    await agent.remove(agent.id("again"));
  },
);

test("GetGuestDetails tells the drivers that there are (3.26)", async (t) => {
  const { agent_details } = await calls.GetGuestDetails({});
  for (const driver of [
    "blk",
    "scsi",
    "mmioblk",
    "nvdimm",
    "ephemeral",
    "local",
    "overlayfs",
    "virtio-fs",
    "bind",
  ]) {
    t.ok(agent_details?.storage_handlers.includes(driver), driver);
  }
  t.notOk(agent_details?.storage_handlers.includes("blk-ccw"));
});
