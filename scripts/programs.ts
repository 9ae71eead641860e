/** One program that `make build` leaves as an executable in build/. */
export type Program = {
  /** Name of the executable and of its bundle. */
  readonly name: string;
  /** Its main file. */
  readonly entry: string;
  /** Flags for Node, compiled into the launcher. */
  readonly nodeFlags: readonly string[];
  /** Environment that Node starts with unless it has such a variable already, compiled into the launcher. */
  readonly environment: Readonly<Record<string, string>>;
};

/**
 * Garbage of calls dies young: a nursery of 2 MB instead of 16 keeps the agent's memory under 30 MB and costs nothing
 * that can be measured without tracing, and a tenth of a call with it. It is as large from the start, because
 * growing it means collecting while the program loads.
 */
const smallNursery = ["--min-semi-space-size=2", "--max-semi-space-size=2"];

/** V8 lets old garbage grow to a multiple of what is in use before it looks for it; here to half as much again. */
const earlyLook = "--heap-growing-percent=50";

/**
 * V8 compiles in blocks of 32 KB. Mapped each for itself they go back to the kernel when the work is done, while in the
 * C library's heap they leave holes between what stays. A limit that is set does not grow with what is freed, either.
 */
const blocksApart = { MALLOC_MMAP_THRESHOLD_: "32768" };

/** The forwarder's garbage dies young as well; 4 MB take 30 MB off its peak, and smaller ones would cost time. */
const middleNursery = ["--max-semi-space-size=4"];

/** All programs. */
export const programs: readonly Program[] = [
  {
    name: "kata-agent",
    entry: "src/agent/main.ts",
    nodeFlags: [...smallNursery, earlyLook],
    environment: blocksApart,
  },
  { name: "kata-trace-forwarder", entry: "src/forwarder/main.ts", nodeFlags: middleNursery, environment: {} },
  { name: "agentctl", entry: "src/ctl/main.ts", nodeFlags: [], environment: {} },
];
