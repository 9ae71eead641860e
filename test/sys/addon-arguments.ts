import type { KernelFunctions } from "../../src/sys/kernel-functions.ts";

const never = new Array(300).fill(0);
const trap = Object.defineProperty([], 0, {
  get() {
    throw new TypeError("an accessor of the caller");
  },
});

/** For each kind of argument: one value that is right, and many that are not. */
const kinds = {
  fd: {
    right: 0,
    wrong: [undefined, null, "1", -1, 1.5, Number.NaN, Infinity, 2 ** 31, {}, 10n, Symbol("x")],
  },
  int: {
    right: 0,
    wrong: [undefined, null, "1", 1.5, Number.NaN, -Infinity, 2 ** 31, -(2 ** 31) - 1, [], 10n],
  },
  uint: { right: 0, wrong: [undefined, null, "1", -1, 0.5, Number.NaN, 2 ** 32, {}, true] },
  bool: { right: true, wrong: [undefined, null, 0, 1, "true", {}] },
  text: { right: "x", wrong: [undefined, null, 1, {}, [], "a\0b", Symbol("x"), Buffer.from("x")] },
  path: { right: "/", wrong: [undefined, null, 1, {}, "", "relative", "/a\0b"] },
  optionalText: { right: null, wrong: [1, {}, "a\0b", Symbol("x"), true] },
  bytes: {
    right: new Uint8Array(8),
    wrong: [
      undefined,
      null,
      "x",
      [1],
      {},
      new Float64Array(1),
      new ArrayBuffer(8),
      new DataView(new ArrayBuffer(8)),
    ],
  },
  chunks: { right: [new Uint8Array(1)], wrong: [undefined, "x", {}, [1], [new Uint8Array(1), null], trap] },
  ints: { right: [0], wrong: [undefined, "x", { length: 1 }, ["a"], [1.5], [{}], never, trap] },
  texts: { right: ["x"], wrong: [undefined, "x", [1], ["a\0b"], [Symbol("x")], { length: 1 }, trap] },
  callback: { right: () => undefined, wrong: [undefined, null, {}, "x"] },
  watch: { right: {}, wrong: [undefined, null, {}, [], 1, "x", new Uint8Array(1)] },
  status: { right: 0, wrong: [undefined, null, -1, 256, 0.5, "0", {}] },
  which: { right: 0, wrong: [undefined, 2, 4, -1, "0"] },
  command: { right: 0, wrong: [undefined, 0, 1, -1, 2 ** 31, "0x4321fedc", {}] },
  namespace: { right: "ipc", wrong: [undefined, 1, "net", "", "a\0b"] },
  kind: { right: 4, wrong: [undefined, 0, 5, -1, 1.5, "1"] },
  host: { right: "127.0.0.1", wrong: [undefined, "localhost", "", "1.2.3", "a\0b", 1] },
  seconds: { right: 0, wrong: [undefined, null, "1", -1, 0.5, Number.NaN, 2 ** 54, {}] },
  microseconds: { right: 0, wrong: [undefined, null, "1", -1, 0.5, Number.NaN, 1_000_000, {}] },
  port: { right: 0, wrong: [undefined, -1, 65536, 2 ** 32, "80"] },
} as const;

type Kind = keyof typeof kinds;
const address: readonly Kind[] = ["kind", "host", "uint", "port"];

/** The arguments of every function of the addon. */
const functions: Readonly<Record<keyof KernelFunctions, readonly Kind[]>> = {
  read: ["fd", "bytes", "uint", "uint"],
  write: ["fd", "bytes"],
  writev: ["fd", "chunks"],
  closeDescriptor: ["fd"],
  setNonblocking: ["fd"],
  pipe: [],
  setPipeSize: ["fd", "int"],
  openWatch: ["fd", "callback"],
  setWatch: ["watch", "int"],
  closeWatch: ["watch"],
  spawn: ["texts", "texts", "texts", "optionalText", "ints", "int"],
  spawnAside: ["texts", "texts", "texts", "optionalText", "ints", "int"],
  openPidfd: ["int"],
  signalPidfd: ["fd", "int"],
  waitChild: ["which", "int", "int"],
  setChildSubreaper: ["bool"],
  endProcess: ["status"],
  setProcessName: ["text"],
  newSession: [],
  getDescriptorLimit: [],
  setDescriptorLimit: ["uint", "uint"],
  mount: ["optionalText", "text", "optionalText", "uint", "optionalText"],
  umount: ["text", "fd"],
  openAt: ["fd", "text", "fd", "fd", "uint"],
  readWithin: ["text", "text", "fd"],
  lookWithin: ["text", "texts"],
  copyTree: ["fd", "text"],
  attachTree: ["fd", "fd", "path"],
  persistNamespace: ["namespace", "text", "optionalText"],
  setHostname: ["text"],
  syncDisks: [],
  reboot: ["command"],
  loadModule: ["fd", "text", "fd"],
  setClock: ["seconds", "microseconds"],
  reseedRandom: ["bytes"],
  swapOn: ["text"],
  openTerminal: [],
  setWindowSize: ["fd", "uint", "uint"],
  getWindowSize: ["fd"],
  setControllingTerminal: ["fd"],
  openNetlink: ["int", "uint"],
  receiveNetlink: ["fd", "bytes"],
  setLinkUp: ["text"],
  listenSocket: [...address, "int"],
  acceptSocket: ["fd"],
  connectSocket: [...address, "uint"],
  finishConnect: ["fd"],
  shutdownSocket: ["fd", "bool"],
  peekSocket: ["fd"],
  socketName: ["fd", "bool"],
  openSeat: [],
  takeSeat: ["fd", "fd"],
  sendDescriptors: ["fd", "bytes", "ints"],
  receiveDescriptors: ["fd", "bytes"],
};

/** One call with exactly one argument that does not fit, so that none of them can do anything. */
export type WrongCall = { name: keyof KernelFunctions; position: number; args: readonly unknown[] };

/** All such calls, of every function the addon has. @throws when one of its functions is missing from the table. */
export function wrongCalls(exported: readonly string[]): WrongCall[] {
  const unknown = exported.filter((name) => !(name in functions));
  const gone = Object.keys(functions).filter((name) => !exported.includes(name));
  if (unknown.length + gone.length > 0)
    throw new Error(`table out of date: ${[...unknown, ...gone].join(" ")}`);
  return (Object.keys(functions) as (keyof KernelFunctions)[]).flatMap((name) =>
    functions[name].flatMap((kind, position) =>
      kinds[kind].wrong.map((wrong) => ({
        name,
        position,
        args: functions[name].map((other, index) => (index === position ? wrong : kinds[other].right)),
      })),
    ),
  );
}
