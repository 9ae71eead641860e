/**
 * Boots a guest under QEMU with VSOCK, for tests, the demo and the benchmark.
 *
 * Two processes: the vsock backend (vhost-device-vsock), which speaks vhost-user with QEMU and shows the guest's ports
 * as unix sockets, and QEMU itself. Host to guest: connect to `<dir>/vsock`, write `CONNECT <port>\n`, read
 * `OK <port>\n`, then it is the stream; nothing may be sent before the `OK`, the backend would drop it. Guest to host:
 * the guest connects to CID 2, and the backend to the unix socket `<dir>/vsock_<port>`.
 *
 * Both die with this process, also when it is killed, and their folder goes with them.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { type Architecture, ownArchitecture } from "./image/architecture.ts";
import { guestFiles, hasKvm, qemuFor, vsockBackendPath } from "./vm-requirements.ts";

/**
 * What to boot. `append` is added to the kernel's command line, `options` to QEMU's arguments. A guest for another
 * processor than this machine's is emulated.
 */
export type GuestOptions = {
  readonly architecture?: Architecture;
  readonly initrd?: string;
  readonly kernel?: string;
  readonly append?: string;
  readonly memoryMb?: number;
  readonly cpus?: number;
  readonly options?: readonly string[];
};

/** How QEMU ended: its exit code, or the signal that ended it. */
export type GuestEnd = { readonly code: number | null; readonly signal: string | null };

/** A guest that was started; it may not have booted yet. */
export type Guest = AsyncDisposable & {
  /** `hvsock:///…:<port>`, for whoever takes an address. */
  address(port: number): string;
  /** Path of the unix socket to listen on for what the guest sends to CID 2, `port`. */
  listenPath(port: number): string;
  /** Connects to a port of the guest as soon as it answers. Throws an Error with the console when it does not. */
  connect(port: number, timeoutMs?: number): Promise<Socket>;
  /** What the guest wrote to its console, the last 256 KiB. */
  console(): string;
  /** Resolves with the first match on the console. Throws an Error with the console when there is none in time. */
  seen(pattern: RegExp, timeoutMs?: number): Promise<RegExpExecArray>;
  /**
   * Resolves when the agent in the guest listens, as the console tells. To be awaited before the first connection: the
   * backend was seen to lose its way for good when it was asked for a port while the guest's driver came up.
   */
  listening(): Promise<void>;
  /** Resolves when QEMU has ended, by itself or killed. */
  readonly exited: Promise<GuestEnd>;
  /** When QEMU was started, on the clock of `performance.now()`. */
  readonly startedAtMs: number;
  /** Ends QEMU and the backend at once and removes their folder. Safe to repeat. */
  kill(): Promise<void>;
};

const consoleLimit = 256 << 10;
// Emulation on a busy machine takes 10 s to the first process; more than this is a failure.
const bootTimeoutMs = 400_000;
const backendTimeoutMs = 60_000;
// Asking more often slows the boot down, and an attempt without a limit of its own was seen to hang. Each has more time
// than the one before, since a guest on a busy machine may need seconds for its answer.
const attemptEveryMs = 100;
const attemptTimeoutMs = { first: 500, most: 10_000 };

// One thread for all processors of the guest: with one for each, a processor was seen to run code that another one had
// just patched (Oops: int3 in sched_clock_cpu, 3.6 s into one boot).
const emulation = "tcg,thread=single";

/** What QEMU and the kernel are told for each processor. */
type Machine = { readonly name: string; readonly cpu: string; readonly kernelLine: string };

// What a runtime passes too: without probing for devices that a VM does not have, the boot is a third shorter.
const kernelLine = "quiet panic=-1 rcupdate.rcu_expedited=1 cryptomgr.notests net.ifnames=0";
const machines: Readonly<Record<Architecture, Machine>> = {
  amd64: {
    name: "q35",
    // QEMU 7.2 computes the flags of cmpxchg16b from stale ones: an interrupt right behind it saves garbage as EFLAGS, and
    // the return from it is a double fault (seen in the kernel's allocator, 1.3 s into one boot). A kernel that is told that
    // there is no such instruction does without.
    cpu: "max,-cx16",
    kernelLine: [
      `console=ttyS0 ${kernelLine} reboot=k no_timer_check noreplace-smp tsc=reliable pci=lastbus=0`,
      "i8042.direct=1 i8042.dumbkbd=1 i8042.nopnp=1 i8042.noaux=1",
    ].join(" "),
  },
  // Without pointers that are signed: emulating the signature costs more than half of the time.
  arm64: { name: "virt", cpu: "max,pauth=off", kernelLine: `console=ttyAMA0 ${kernelLine}` },
};

// The second that an agent has for its last spans is short for a processor that is emulated.
const flushLimit = "agent.trace_flush_timeout";

/** Starts a guest and returns at once. Throws an Error when the backend does not start. */
export async function bootGuest(options: GuestOptions = {}): Promise<Guest> {
  // Unix socket paths end at 107 bytes, so not in a deep folder.
  const dir = mkdtempSync("/tmp/kata-vm-");
  const sockets = { backend: join(dir, "backend"), vsock: join(dir, "vsock") };
  const backend = startBackend(sockets);
  try {
    await until(() => existsSync(sockets.backend), backendTimeoutMs, "the vsock backend did not start");
  } catch (error) {
    await end(backend);
    rmSync(dir, { recursive: true, force: true });
    throw error;
  }
  return watch(startQemu(options, sockets.backend), backend, sockets.vsock, dir);
}

// The parent's death is a signal to the child, so that nothing is left of a test that was killed.
const underUs = (file: string, args: readonly string[]): [string, string[]] => [
  "setpriv",
  ["--pdeathsig", "KILL", file, ...args],
];

function startBackend(sockets: { backend: string; vsock: string }): ChildProcess {
  // Its default buffer loses packets that Linux splits; 31744 keeps them in one piece with their header.
  const limits = ["--guest-cid", "4", "--tx-buffer-size", "31744"];
  const args = [...limits, "--socket", sockets.backend, "--uds-path", sockets.vsock];
  return spawn(...underUs(vsockBackendPath, args), { stdio: "ignore", env: { RUST_LOG: "off" } });
}

function startQemu(options: GuestOptions, backendSocket: string): ChildProcess {
  const { memoryMb = 1024, cpus = 2, append = "", architecture = ownArchitecture() } = options;
  const machine = machines[architecture];
  const files = guestFiles(architecture);
  const canRun = architecture === ownArchitecture() && hasKvm();
  const patience = canRun || append.includes(flushLimit) ? "" : `${flushLimit}=20`;
  const args = [
    ...["-nodefaults", "-no-user-config", "-display", "none", "-no-reboot", "-serial", "stdio"],
    ...["-cpu", canRun ? "max" : machine.cpu, "-smp", `${cpus}`, "-m", `${memoryMb}M`],
    ...["-machine", `${machine.name},memory-backend=m0`, "-accel", canRun ? "kvm" : emulation],
    // The backend reads and writes the guest's memory, so it has to be shared.
    ...["-object", `memory-backend-memfd,id=m0,size=${memoryMb}M,share=on`],
    ...["-chardev", `socket,id=c0,path=${backendSocket}`, "-device", "vhost-user-vsock-pci,chardev=c0"],
    ...["-kernel", options.kernel ?? files.kernel, "-initrd", options.initrd ?? files.initrd],
    ...["-append", `${machine.kernelLine} ${patience} ${append}`.trim(), ...(options.options ?? [])],
  ];
  return spawn(...underUs(qemuFor(architecture), args), { stdio: ["ignore", "pipe", "pipe"] });
}

function watch(qemu: ChildProcess, backend: ChildProcess, path: string, dir: string): Guest {
  let text = "";
  const keep = (chunk: string): void => {
    text = (text + chunk).slice(-consoleLimit);
  };
  for (const stream of [qemu.stdout, qemu.stderr]) stream?.setEncoding("utf8").on("data", keep);
  const exited = new Promise<GuestEnd>((resolve) => {
    qemu.once("error", (error) => {
      keep(String(error));
      resolve({ code: null, signal: null });
    });
    // "close" comes after the last of the console, "exit" may not.
    qemu.once("close", (code, signal) => resolve({ code, signal }));
  });
  let over = false;
  void exited.then(() => {
    over = true;
  });
  const removeDir = (): void => rmSync(dir, { recursive: true, force: true });
  process.once("exit", removeDir);
  const kill = async (): Promise<void> => {
    await Promise.all([end(qemu), end(backend)]);
    process.off("exit", removeDir);
    removeDir();
  };
  const withConsole = (what: string): Error => new Error(`${what}; the console said:\n${text}`);
  const seen = async (pattern: RegExp, timeoutMs = bootTimeoutMs): Promise<RegExpExecArray> => {
    const find = (): RegExpExecArray | null => pattern.exec(text);
    await until(() => find() !== null || over, timeoutMs, "").catch(() => undefined);
    const found = find();
    if (!found) throw withConsole(`the guest ${over ? "ended" : "ran on"} without ${pattern}`);
    return found;
  };
  const connectTo = async (port: number, timeoutMs = bootTimeoutMs): Promise<Socket> => {
    let withinMs = attemptTimeoutMs.first;
    for (const deadlineMs = performance.now() + timeoutMs; performance.now() < deadlineMs && !over; ) {
      const socket = await attempt(path, port, withinMs);
      withinMs = Math.min(2 * withinMs, attemptTimeoutMs.most);
      if (socket) return socket;
      await sleep(attemptEveryMs);
    }
    throw withConsole(`the guest ${over ? "ended" : "ran on"} without answering on port ${port}`);
  };
  return {
    address: (port) => `hvsock://${path}:${port}`,
    listenPath: (port) => `${path}_${port}`,
    connect: connectTo,
    console: () => text,
    seen,
    listening: async () => void (await seen(/"msg":"listening"/, bootTimeoutMs)),
    exited,
    startedAtMs: performance.now(),
    kill,
    [Symbol.asyncDispose]: kill,
  };
}

/** One try to reach a port of the guest; undefined when nobody answered in time. */
function attempt(path: string, port: number, timeoutMs: number): Promise<Socket | undefined> {
  return new Promise((resolve) => {
    const socket = connect({ path, allowHalfOpen: true });
    const settle = (result: Socket | undefined): void => {
      clearTimeout(timer);
      socket.off("readable", onReadable);
      for (const event of ["error", "close", "end"]) socket.off(event, fail);
      if (!result) socket.on("error", () => undefined).destroy();
      resolve(result);
    };
    const fail = (): void => settle(undefined);
    const timer = setTimeout(fail, timeoutMs);
    socket.once("error", fail).once("close", fail).once("end", fail);
    socket.once("connect", () => socket.write(`CONNECT ${port}\n`));
    let answer = "";
    const onReadable = (): void => {
      // Byte by byte: what follows the line belongs to whoever gets the socket.
      for (let byte = socket.read(1); byte !== null; byte = socket.read(1)) {
        answer += byte.toString("latin1");
        if (!answer.endsWith("\n")) continue;
        settle(answer.startsWith("OK ") ? socket : undefined);
        return;
      }
    };
    socket.on("readable", onReadable);
  });
}

/** Kills a child of ours, if it is still there, and waits until it is gone. */
async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return;
  const gone = new Promise((resolve) => child.once("exit", resolve));
  child.kill("SIGKILL");
  await gone;
}

async function until(condition: () => boolean, timeoutMs: number, otherwise: string): Promise<void> {
  for (const deadlineMs = performance.now() + timeoutMs; !condition(); await sleep(20)) {
    if (performance.now() > deadlineMs) throw new Error(otherwise);
  }
}
