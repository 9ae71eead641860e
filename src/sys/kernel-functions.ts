/** A watch of the addon; only its own functions look inside. */
export type Watch = { readonly watch: unique symbol };
/** `[pid, si_code, si_status]` as waitid(2) tells them. */
export type Waited = readonly [pid: number, code: number, status: number];
/** Kinds of socket address: 1 unix path, 2 abstract unix name, 3 VSOCK, 4 TCP with a numeric host. */
export type AddressKind = 1 | 2 | 3 | 4;
/** What the addon takes for a socket address; text is the path, name or host, unused numbers are 0. */
export type RawAddress = readonly [kind: AddressKind, text: string, cid: number, port: number];

/**
 * The functions of the addon, one row per C function; the comment beside each C function says what it does.
 *
 * All throw TypeError for a wrong argument and `Error` with `code`, `errno` (negative) and `syscall` when the kernel
 * refuses. Those that give a promise run off the event loop.
 */
export type KernelFunctions = {
  read(fd: number, into: Uint8Array, offset: number, length: number): number;
  write(fd: number, bytes: Uint8Array): number;
  writev(fd: number, chunks: readonly Uint8Array[]): number;
  closeDescriptor(fd: number): void;
  setNonblocking(fd: number): void;
  pipe(): [readEnd: number, writeEnd: number];
  setPipeSize(fd: number, bytes: number): number;

  openWatch(fd: number, callback: (events: number) => void): Watch;
  setWatch(watch: Watch, events: number): void;
  closeWatch(watch: Watch): void;

  spawn(
    candidates: readonly string[],
    argv: readonly string[],
    env: readonly string[],
    cwd: string | null,
    fds: readonly number[],
    flags: number,
  ): [pid: number, pidfd: number];

  spawnAside(...plan: Parameters<KernelFunctions["spawn"]>): Promise<[pid: number, pidfd: number]>;
  openPidfd(pid: number): number;
  signalPidfd(pidfd: number, signal: number): void;
  waitChild(which: number, id: number, options: number): Waited | null;
  setChildSubreaper(on: boolean): void;
  setProcessName(name: string): void;
  newSession(): number;
  getDescriptorLimit(): [soft: number, hard: number];
  setDescriptorLimit(soft: number, hard: number): void;
  endProcess(status: number): never;

  mount(
    source: string | null,
    target: string,
    type: string | null,
    flags: number,
    data: string | null,
  ): Promise<number>;
  umount(target: string, flags: number): Promise<number>;
  openAt(directory: number, path: string, flags: number, mode: number, resolve: number): Promise<number>;
  readWithin(root: string, path: string, most: number): Promise<Uint8Array>;
  lookWithin(root: string, paths: readonly string[]): Promise<number[]>;
  copyTree(namespace: number, path: string): Promise<number>;
  attachTree(namespace: number, tree: number, path: string): Promise<number>;
  persistNamespace(type: "ipc" | "uts", path: string, hostname: string | null): Promise<number>;

  setHostname(name: string): void;
  syncDisks(): Promise<number>;
  reboot(command: number): void;
  loadModule(fd: number, parameters: string, flags: number): Promise<number>;
  setClock(seconds: number, microseconds: number): void;
  reseedRandom(bytes: Uint8Array): void;
  swapOn(path: string): Promise<number>;

  openTerminal(): [master: number, slave: number];
  setWindowSize(fd: number, rows: number, columns: number): void;
  getWindowSize(fd: number): [rows: number, columns: number];
  setControllingTerminal(fd: number): void;

  openNetlink(protocol: number, groups: number): number;
  receiveNetlink(fd: number, into: Uint8Array): number;
  setLinkUp(name: string): void;

  listenSocket(...address: [...RawAddress, backlog: number]): number;
  acceptSocket(fd: number): number;
  connectSocket(...address: [...RawAddress, timeoutMs: number]): [fd: number, connected: number];
  finishConnect(fd: number): void;
  shutdownSocket(fd: number, both: boolean): void;
  peekSocket(fd: number): number;
  socketName(fd: number, peer: boolean): string;
  openSeat(): number;
  takeSeat(fd: number, seat: number): void;
  sendDescriptors(fd: number, bytes: Uint8Array, fds: readonly number[]): number;
  receiveDescriptors(fd: number, into: Uint8Array): [bytes: number, ...fds: number[]] | null;
};
