/**
 * Drives every function of an addon file, rightly and wrongly, so that a sanitizer may watch. Prints how many calls it
 * made; run by addon.test.ts as `drive-addon.ts FILE`, and by itself once more in a thread that ends with a watch open.
 */
import { strict as assert } from "node:assert";
import { readFileSync } from "node:fs";
import { isMainThread, Worker, workerData } from "node:worker_threads";
import type { KernelFunctions } from "../../src/sys/kernel-functions.ts";
import { wrongCalls } from "./addon-arguments.ts";

// Without this a call that should have been refused could set the machine's clock or switch it off.
assert.match(
  readFileSync("/proc/self/status", "utf8"),
  /^CapEff:\t0+$/m,
  "run this without capabilities, see addon.test.ts",
);

const file = isMainThread ? (process.argv[2] ?? "") : String(workerData);
const holder = { exports: {} };
process.dlopen(holder, file);
const kernel = holder.exports as KernelFunctions;
const bytes = new Uint8Array(64);

function fails(code: string | RegExp, call: () => unknown): void {
  assert.throws(call, (error: NodeJS.ErrnoException) => {
    assert.match(error.code ?? "", typeof code === "string" ? new RegExp(`^${code}$`) : code);
    assert.equal(typeof error.errno, "number");
    return true;
  });
}

function wrongArguments(): number {
  const calls = wrongCalls(Object.keys(kernel));
  for (const { name, position, args } of calls) {
    const call = kernel[name] as (...args: readonly unknown[]) => unknown;
    assert.throws(
      () => call(...args),
      TypeError,
      `${name}, argument ${position}, a ${typeof args[position]}`,
    );
  }
  assert.throws(() => kernel.read(0, bytes, 60, 5), TypeError);
  assert.throws(() => kernel.spawn(["/bin/true"], [], [], null, [], 0), TypeError);
  assert.throws(() => kernel.spawnAside(["/bin/true"], [], [], null, [], 0), TypeError);
  return calls.length;
}

function pipes(): void {
  const [readEnd, writeEnd] = kernel.pipe();
  kernel.setNonblocking(readEnd);
  kernel.setPipeSize(writeEnd, 4096);
  assert.equal(kernel.read(readEnd, bytes, 0, 64), -1);
  assert.equal(kernel.write(writeEnd, bytes), 64);
  assert.equal(kernel.writev(writeEnd, [bytes, bytes.subarray(1, 3), new Uint8Array(0)]), 66);
  assert.equal(kernel.writev(writeEnd, new Array(1500).fill(bytes.subarray(0, 1))), 1024);
  assert.equal(kernel.read(readEnd, bytes, 60, 4), 4);
  kernel.closeDescriptor(readEnd);
  kernel.closeDescriptor(writeEnd);
  fails("EBADF", () => kernel.read(readEnd, bytes, 0, 1));
}

async function watches(): Promise<void> {
  const [readEnd, writeEnd] = kernel.pipe();
  await new Promise<void>((resolve) => {
    const watch = kernel.openWatch(readEnd, () => {
      kernel.closeWatch(watch);
      fails("EBADF", () => kernel.setWatch(watch, 1));
      resolve();
    });
    const second = kernel.openWatch(readEnd, () => undefined);
    kernel.setWatch(watch, 1);
    fails("EEXIST", () => kernel.setWatch(second, 1));
    fails("EEXIST", () => kernel.openWatch(readEnd, () => undefined));
    kernel.closeWatch(second);
    kernel.setWatch(watch, 3);
    kernel.setWatch(watch, 0);
    kernel.setWatch(watch, 1);
    kernel.write(writeEnd, bytes);
  });
  for (let round = 0; round < 100; round++) {
    const watch = kernel.openWatch(readEnd, () => undefined);
    kernel.setWatch(watch, 1);
    kernel.closeWatch(watch);
  }
  kernel.closeDescriptor(readEnd);
  kernel.closeDescriptor(writeEnd);
}

function readable(fd: number): Promise<void> {
  return new Promise((resolve) => {
    const watch = kernel.openWatch(fd, () => {
      kernel.closeWatch(watch);
      resolve();
    });
    kernel.setWatch(watch, 1);
  });
}

async function processes(): Promise<void> {
  const [pid, pidfd] = kernel.spawn(
    ["/none", "/bin/sh"],
    ["sh", "-c", "exit 3"],
    ["A=b"],
    "/",
    [-1, -1, -1],
    1,
  );
  await readable(pidfd);
  kernel.signalPidfd(pidfd, 0);
  const again = kernel.openPidfd(pid);
  assert.deepEqual(kernel.waitChild(3, pidfd, 4), [pid, 1, 3]);
  fails("ESRCH", () => kernel.signalPidfd(again, 0));
  fails("ECHILD", () => kernel.waitChild(1, pid, 4));
  kernel.closeDescriptor(pidfd);
  kernel.closeDescriptor(again);
  fails("ENOENT", () => kernel.spawn(["/none"], ["none"], [], null, [0, 1, 2], 0));
  fails("ENOENT", () => kernel.spawn([], ["none"], [], null, [], 0));
  const [aside, asidePidfd] = await kernel.spawnAside(["/bin/true"], ["true"], [], null, [], 0);
  await readable(asidePidfd);
  assert.deepEqual(kernel.waitChild(3, asidePidfd, 4), [aside, 1, 0]);
  kernel.closeDescriptor(asidePidfd);
  await assert.rejects(kernel.spawnAside(["/none"], ["none"], [], null, [], 0), { code: "ENOENT" });
  fails("ESRCH", () => kernel.openPidfd(2 ** 30));
  kernel.setProcessName("a name of more than fifteen bytes");
  const [soft, hard] = kernel.getDescriptorLimit();
  kernel.setDescriptorLimit(soft, hard);
}

function sockets(kind: 1 | 2 | 4, text: string): void {
  const listener = kernel.listenSocket(kind, text, 0, 0, 5);
  assert.equal(kernel.acceptSocket(listener), -1);
  const port = Number(/:(\d+)$/.exec(kernel.socketName(listener, false))?.[1] ?? 0);
  const [near] = kernel.connectSocket(kind, text, 0, port, 1000);
  kernel.finishConnect(near);
  const far = kernel.acceptSocket(listener);
  assert.match(kernel.socketName(far, true), /^(unix|tcp:)/);
  assert.equal(kernel.peekSocket(far), -2);
  kernel.write(near, bytes);
  kernel.shutdownSocket(near, false);
  const seat = kernel.openSeat();
  kernel.takeSeat(far, seat);
  assert.equal(kernel.peekSocket(seat), bytes[0]);
  kernel.read(seat, bytes, 0, 64);
  assert.equal(kernel.peekSocket(seat), -1);
  if (kind !== 4) {
    assert.equal(kernel.sendDescriptors(seat, bytes, [near, seat]), 64);
    const [, ...fds] = kernel.receiveDescriptors(near, bytes) ?? [];
    assert.equal(fds.length, 2);
    fds.forEach(kernel.closeDescriptor);
    assert.equal(kernel.receiveDescriptors(near, bytes), null);
  }
  kernel.shutdownSocket(seat, true);
  [listener, near, seat].forEach(kernel.closeDescriptor);
}

function devices(): void {
  const ends = kernel.openTerminal();
  kernel.setWindowSize(ends[0], 24, 80);
  assert.deepEqual(kernel.getWindowSize(ends[1]), [24, 80]);
  ends.forEach(kernel.closeDescriptor);
  fails("ENOTTY", () => kernel.setControllingTerminal(kernel.openSeat()));
  const netlink = kernel.openNetlink(15, 1);
  kernel.receiveNetlink(netlink, new Uint8Array(0));
  kernel.closeDescriptor(netlink);
  fails("ENODEV", () => kernel.setLinkUp("no-such-link0"));
  fails("ENODEV", () => kernel.setLinkUp("a name that is far too long"));
  fails(/EINVAL|EPERM/, () => kernel.setHostname("x".repeat(100)));
  assert.throws(() => kernel.reseedRandom(new Uint8Array(65_537)), TypeError);
  fails("EPERM", () => kernel.setClock(0, 0));
  fails(/EPERM|EACCES/, () => kernel.reseedRandom(new Uint8Array(8)));
  fails("ENAMETOOLONG", () => kernel.connectSocket(1, "x".repeat(200), 0, 0, 0));
  fails("EINVAL", () => kernel.connectSocket(1, "", 0, 0, 0));
}

async function works(): Promise<void> {
  const missing = "/no/such/path";
  const failing: readonly (() => Promise<unknown>)[] = [
    () => kernel.mount("none", missing, "tmpfs", 0, "size=1m"),
    () => kernel.umount(missing, 0),
    () => kernel.openAt(0, missing, 0, 0, 0),
    () => kernel.readWithin("/", missing, 1),
    () => kernel.readWithin(missing, "/", 1),
    () => kernel.readWithin("/", "/", 1),
    () => kernel.lookWithin(missing, ["/"]),
    () => kernel.persistNamespace("uts", missing, "x".repeat(65)),
    () => kernel.persistNamespace("ipc", missing, null),
    () => kernel.copyTree(0, missing),
    () => kernel.attachTree(0, 0, missing),
    () => kernel.loadModule(0, "", 0),
    () => kernel.swapOn(missing),
  ];
  assert.equal((await kernel.readWithin("/", "/proc/self/status", 5)).length, 0, "a file without a size");
  assert.equal((await kernel.readWithin("/", "/bin/sh", 4)).length, 4);
  assert.deepEqual(
    await kernel.lookWithin("/", ["/proc/self", missing, "//", ""]),
    [-1, 0, 0o40000, 0o40000],
  );
  for (const work of failing) await assert.rejects(work(), { name: "Error", syscall: /\w/ });
  assert.equal(await kernel.syncDisks(), 0);
}

/** The environment of a thread ends while the loop still watches a descriptor. */
async function endingThread(): Promise<void> {
  const worker = new Worker(new URL(import.meta.url), { workerData: file });
  await new Promise<void>((resolve, reject) => worker.once("message", () => resolve()).once("error", reject));
  await worker.terminate();
}

async function main(): Promise<void> {
  const wrong = wrongArguments();
  pipes();
  await watches();
  await processes();
  sockets(2, `drive-addon-${process.pid}`);
  sockets(4, "127.0.0.1");
  sockets(4, "::1");
  devices();
  await works();
  await endingThread();
  process.stdout.write(`${wrong} wrong calls refused\n`);
}

if (isMainThread) {
  await main();
} else {
  const [readEnd, writeEnd] = kernel.pipe();
  kernel.setWatch(
    kernel.openWatch(readEnd, () => undefined),
    1,
  );
  kernel.write(writeEnd, bytes);
  (await import("node:worker_threads")).parentPort?.postMessage("up");
}
