import { execFileSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import {
  existsSync,
  lstatSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import t, { test } from "tap";
import { Code } from "../../src/base/code.ts";
import { needsRoot, refusal, startAgent } from "../fakes/real-agent.ts";

const agent = await startAgent();
t.teardown(() => agent[Symbol.asyncDispose]());
const { calls } = agent;
await calls.CreateSandbox({ sandbox_id: "copies" });

const share = "/run/kata-containers/shared/containers";
const seen = (path: string): string => agent.path(`${share}/${path}`);
const type = {
  file: 0o100000,
  folder: 0o040000,
  link: 0o120000,
  fifo: 0o010000,
  device: 0o060000,
  socket: 0o140000,
};
const owner = { uid: 0, gid: 0, dir_mode: 0o750 };

function put(path: string, bytes: Uint8Array, more: object = {}): Promise<object> {
  return calls.CopyFile({
    ...owner,
    path: path.startsWith("/") ? path : `${share}/${path}`,
    file_mode: type.file | 0o640,
    file_size: BigInt(bytes.length),
    data: bytes,
    ...more,
  });
}

const link = (path: string, target: string) =>
  put(path, Buffer.from(target), { file_mode: type.link | 0o777 });
/** Runs a shell command where the agent sees its files. */
const inside = (script: string) =>
  execFileSync("nsenter", ["--target", `${agent.pid}`, "--mount", "/bin/sh", "-c", script], {
    encoding: "utf8",
  });

test("a file comes whole, in pieces of any order, with owner and mode", needsRoot, async (t) => {
  const bytes = randomBytes(2_500_000);
  const size = BigInt(bytes.length);
  const cuts = [
    [1_000_000, 2_000_000],
    [2_000_000, 2_500_000],
    [0, 1_000_000],
  ] as const;
  await put("deep/er/file", Buffer.from("old"));
  for (const [index, [from, to]] of cuts.entries()) {
    const data = bytes.subarray(from, to);
    await put("deep/er/file", data, { file_size: size, offset: BigInt(from), uid: 12, gid: 34 });
    const content = readFileSync(seen("deep/er/file"));
    if (index < 2) t.equal(`${content}`, "old", "the old content is seen until the last piece is there");
    else t.ok(content.equals(bytes));
  }
  const { mode, uid, gid } = statSync(seen("deep/er/file"));
  t.same([mode & 0o7777, uid, gid], [0o640, 12, 34]);
  t.same([statSync(seen("deep")).mode & 0o777, statSync(seen("deep/er")).mode & 0o777], [0o750, 0o750]);
  t.same(
    [statSync(seen("deep/er")).uid, statSync(seen("deep")).uid],
    [12, 0],
    "the immediate parent is given too",
  );
  t.same(readdirSync(seen("deep/er")), ["file"], "no pieces are left");
  await put("empty", Buffer.alloc(0));
  t.equal(statSync(seen("empty")).size, 0);
});

test("a copy that starts again with another size leaves no pieces", async (t) => {
  await put("again/file", Buffer.from("abc"), { file_size: 10n });
  await put("again/file", Buffer.from("whole"));
  t.same(readdirSync(seen("again")), ["file"]);
  t.equal(readFileSync(seen("again/file"), "utf8"), "whole");
});

test("copies at once below a new folder all arrive", async (t) => {
  const names = Array.from({ length: 16 }, (_, n) => `f${n}`);
  const files = names.map((name) => refusal(put(`crowd/of/${name}`, Buffer.from(name))));
  const folders = names.map(() =>
    refusal(put("crowd/folder", Buffer.alloc(0), { file_mode: type.folder | 0o755 })),
  );
  const done = { code: 0, message: "" };
  t.same(
    await Promise.all([...files, ...folders]),
    [...files, ...folders].map(() => done),
  );
  t.same(readdirSync(seen("crowd/of")).sort(), [...names].sort());
});

test("a folder is made or kept, and takes the place of a file", needsRoot, async (t) => {
  const folder = (path: string, mode: number) =>
    put(path, Buffer.alloc(0), { file_mode: type.folder | mode, uid: 5, gid: 6 });
  await folder("dir", 0o1777);
  await put("dir/keep", Buffer.from("x"));
  await folder("dir", 0o700);
  const { mode, uid, gid } = statSync(seen("dir"));
  t.same([mode & 0o7777, uid, gid], [0o700, 5, 6]);
  t.ok(existsSync(seen("dir/keep")));
  await put("was-file", Buffer.from("x"));
  await folder("was-file", 0o755);
  t.ok(statSync(seen("was-file")).isDirectory());
  await link("was-link", "dir");
  await folder("was-link", 0o755);
  t.ok(lstatSync(seen("was-link")).isDirectory(), "a link is replaced, not followed");
  t.ok(existsSync(seen("dir/keep")));
  await put("dir", Buffer.from("now a file"));
  t.equal(readFileSync(seen("dir"), "utf8"), "now a file");
});

// agent-api 3.23
test("a link is replaced at once, as config maps are refreshed", needsRoot, async (t) => {
  await put("map/..v1/key", Buffer.from("1"));
  await put("map/..v2/key", Buffer.from("2"));
  await link("map/..data", "..v1");
  await link("map/key", "..data/key");
  t.equal(inside(`cat ${share}/map/key`), "1");
  await link("map/..data", "..v2");
  t.equal(inside(`cat ${share}/map/key`), "2");
  t.equal(readlinkSync(seen("map/..data")), "..v2");
  t.same(readdirSync(seen("map")).sort(), ["..data", "..v1", "..v2", "key"]);
});

// agent-api 3.23, 10.1
test("nothing outside the share can be reached", async (t) => {
  const outside = join(agent.folder, "outside");
  writeFileSync(outside, "precious");
  await link("absolute", agent.folder);
  await link("relative", `../../../../..${agent.folder}`);
  await link("file-link", outside);
  for (const path of ["absolute/outside", "relative/outside"]) await refusal(put(path, Buffer.from("evil")));
  await put("file-link", Buffer.from("new"));
  t.equal(readFileSync(outside, "utf8"), "precious");
  t.notOk(lstatSync(seen("file-link")).isSymbolicLink(), "a link at the end is replaced, not followed");
  await put("far/in/beside", Buffer.from("x"));
  await link("within", "/far/in");
  await put("within/by-link", Buffer.from("inside"));
  t.equal(readFileSync(seen("far/in/by-link"), "utf8"), "inside", "the root of a link is the share");
  const refused = [
    "/etc/passwd",
    `${share}`,
    `${share}/`,
    `${share}/../up`,
    `${share}/a/../../../up`,
    `${share}-beside/x`,
    "relative/path".replace("relative", `${share}/../containers`),
    `${share}/nul\0`,
    `${share}/${"x".repeat(300)}`,
  ];
  for (const path of refused) {
    t.equal(
      (await refusal(put(path, Buffer.from("evil")))).code,
      Code.internal,
      JSON.stringify(path).slice(0, 80),
    );
  }
});

// agent-api 3.23
test("only files, folders and links can be copied", async (t) => {
  for (const kind of ["fifo", "device", "socket"] as const) {
    const { code } = await refusal(put(`odd-${kind}`, Buffer.alloc(0), { file_mode: type[kind] | 0o644 }));
    t.equal(code, Code.internal, kind);
    t.notOk(existsSync(seen(`odd-${kind}`)), kind);
  }
  t.equal((await refusal(put("untyped", Buffer.from("x"), { file_mode: 0o644 }))).code, Code.internal);
});

// agent-api 10.3
test("sizes and offsets that make no sense are refused and leave nothing", async (t) => {
  const before = readdirSync(seen("")).sort();
  const bad = [
    { file_size: 1n },
    { file_size: -1n },
    { file_size: 10n, offset: -1n },
    { file_size: 10n, offset: 8n },
    { file_size: 2n ** 62n, offset: 2n ** 62n - 2n },
  ];
  for (const more of bad) {
    t.equal((await refusal(put("bad-size", Buffer.from("abc"), more))).code, Code.internal);
  }
  t.same(readdirSync(seen("")).sort(), before);
});

test("copies that nobody completes leave no more hidden files than may be under way", async (t) => {
  const begin = (name: string) => put(`begun/${name}`, Buffer.from("a"), { file_size: 2n });
  for (let n = 0; n < 256; n++) await begin(`in${n % 2}/f${n}`);
  const count = () => ["in0", "in1"].flatMap((folder) => readdirSync(seen(`begun/${folder}`))).length;
  t.equal(count(), 256);
  await begin("in0/more");
  await begin("in1/more");
  t.equal(count(), 256);
  await put("begun/in1/f255", Buffer.from("b"), { file_size: 2n, offset: 1n });
  t.equal(readFileSync(seen("begun/in1/f255"), "utf8"), "ab", "the younger ones go on");
});

test("nothing is deleted through a mount point (10.3)", async (t) => {
  await put("mounted/below/file", Buffer.from("x"));
  const point = `${share}/mounted/below`;
  inside(`mount -t tmpfs tmpfs ${point} && echo precious >${point}/data`);
  try {
    for (const path of ["mounted", "mounted/below"]) {
      t.equal((await refusal(put(path, Buffer.from("new")))).code, Code.internal, path);
      t.equal((await refusal(link(path, "elsewhere"))).code, Code.internal, path);
    }
    t.equal(inside(`cat ${point}/data`), "precious\n");
    t.same(readdirSync(seen("mounted")), ["below"], "no hidden file or link is left");
  } finally {
    inside(`umount ${point}`);
  }
  await put("mounted", Buffer.from("new"));
  t.equal(readFileSync(seen("mounted"), "utf8"), "new");
});

test("parents have the mode that was sent, and 0750 when it says 0 (3.23 step 1)", needsRoot, async (t) => {
  await put("no-mode/file", Buffer.from("x"), { dir_mode: 0 });
  await put("some-mode/file", Buffer.from("x"), { dir_mode: 0o4711 });
  const mode = (path: string) => statSync(seen(path)).mode & 0o7777;
  t.same([mode("no-mode"), mode("some-mode")], [0o750, 0o711]);
});

test(
  "a link has its owner and target as sent, special bits come out on files (3.23 steps 4, 5)",
  needsRoot,
  async (t) => {
    await put("owned", Buffer.from("../far away/\n"), { file_mode: type.link | 0o777, uid: 21, gid: 22 });
    const { uid, gid } = lstatSync(seen("owned"));
    t.same([readlinkSync(seen("owned")), uid, gid], ["../far away/\n", 21, 22]);
    await put("special", Buffer.from("x"), { file_mode: type.file | 0o6755, uid: 3, gid: 4 });
    t.equal(statSync(seen("special")).mode & 0o7777, 0o6755);
  },
);
