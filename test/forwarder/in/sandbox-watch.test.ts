import {
  chownSync,
  existsSync,
  lstatSync,
  mkdirSync,
  rmSync,
  statSync,
  symlinkSync,
  watch,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import t from "tap";
import { giveToOwner } from "../../../src/forwarder/in/listeners.ts";
import {
  isSandboxName,
  knownPatterns,
  parsePattern,
  sandboxOf,
} from "../../../src/forwarder/in/sandbox-pattern.ts";
import { until as untilTrue } from "../../fakes/until.ts";
import { exportOf, linesOf, post, runForwarder, temporaryFolder } from "../running.ts";

/** Resolves when the file is there, or is not. */
async function until(path: string, there: boolean): Promise<void> {
  while (existsSync(path) !== there) {
    const { promise, resolve } = Promise.withResolvers<void>();
    const folder = existsSync(dirname(path)) ? dirname(path) : dirname(dirname(path));
    const watcher = watch(folder, () => resolve());
    if (existsSync(path) === there) resolve();
    await promise;
    watcher.close();
  }
}

t.test("a sandbox has its socket before its VMM has one, and not after it", async (t) => {
  const folder = temporaryFolder(t);
  const out = join(folder, "out");
  const base = join(folder, "vm");
  mkdirSync(base);
  await runForwarder(t, "--watch", `${base}/{sandbox}/root/kata.hvsock`, "-f", out);
  const vmm = join(base, "sb1", "root", "kata.hvsock");
  mkdirSync(join(base, "sb1"));
  mkdirSync(dirname(vmm));
  await until(`${vmm}_10240`, true);
  t.equal(statSync(`${vmm}_10240`).mode & 0o777, 0o600);
  t.equal((await post(`${vmm}_10240`, exportOf("from sb1"))).status, 200);
  writeFileSync(vmm, "");
  mkdirSync(join(base, "sb2", "root"), { recursive: true });
  await until(join(base, "sb2", "root", "kata.hvsock_10240"), true);
  rmSync(vmm);
  await until(`${vmm}_10240`, false);
  rmSync(join(base, "sb2"), { recursive: true });
  t.equal(linesOf(out).length, 1);
});

const isRoot = process.getuid?.() === 0;

t.test(
  "a sandbox that is handed over after it was made gets its socket handed over too",
  { skip: !isRoot && "giving files away needs root" },
  async (t) => {
    const base = join(temporaryFolder(t), "vm");
    mkdirSync(join(base, "sb"), { recursive: true });
    await runForwarder(t, "--watch", `${base}/{sandbox}/clh.sock`);
    const socket = join(base, "sb", "clh.sock_10240");
    await until(socket, true);
    t.equal(statSync(socket).uid, 0);
    chownSync(join(base, "sb"), 65_534, 65_534);
    await untilTrue("the socket has the owner of its folder", () => statSync(socket).uid === 65_534);
  },
);

t.test(
  "nothing else is given away where a VMM's user has put it, or a link to it, in the socket's place",
  { skip: !isRoot && "giving files away needs root" },
  async (t) => {
    const folder = temporaryFolder(t);
    const [vm, kept] = [join(folder, "vm"), join(folder, "kept")];
    writeFileSync(kept, "of root");
    mkdirSync(vm);
    chownSync(vm, 65_534, 65_534);
    symlinkSync(kept, join(vm, "link_1"));
    writeFileSync(join(vm, "file_1"), "no socket");
    for (const name of ["link", "file"]) giveToOwner(join(vm, name), 1);
    for (const path of [kept, join(vm, "link_1"), join(vm, "file_1")]) t.equal(lstatSync(path).uid, 0, path);
  },
);

t.test("a folder of sandboxes may appear later than the forwarder", async (t) => {
  const folder = temporaryFolder(t);
  const base = join(folder, "later");
  const forwarder = await runForwarder(t, "--watch", `${base}/{sandbox}/clh.sock`);
  mkdirSync(join(base, "sb"), { recursive: true });
  await until(join(base, "sb", "clh.sock_10240"), true);
  await forwarder.stop();
  t.notOk(existsSync(join(base, "sb", "clh.sock_10240")), "and is removed at the end");
});

t.test("the runtimes' own places tell the sandbox", async (t) => {
  const id = "a".repeat(64);
  for (const path of [
    `/run/vc/vm/${id}/clh.sock`,
    `/run/kata/${id}/ch-vm.sock`,
    `/run/vc/firecracker/${id}/root/kata.hvsock`,
    `/run/kata/firecracker/${id}/root/kata.hvsock`,
    `/run/kata/${id}/root/kata.hvsock`,
  ])
    t.equal(sandboxOf(path, knownPatterns), id, path);
  t.equal(sandboxOf("/run/other/clh.sock", knownPatterns), undefined);
  t.notOk(isSandboxName("firecracker"));
  t.notOk(isSandboxName("../x"));
});

for (const wrong of [
  "/run/{sandbox}",
  "/run/x.sock",
  "run/{sandbox}/x",
  "/run/{sandbox}/{sandbox}/x",
  "/run/a{sandbox}/x",
])
  t.test(`${wrong} is no template`, async (t) => {
    t.throws(() => parsePattern(wrong));
  });
