/** One program that `make build` leaves as an executable in build/. */
export type Program = {
  /** Name of the executable and of its bundle. */
  readonly name: string;
  /** Its main file. */
  readonly entry: string;
  /** Flags for Node, compiled into the launcher. */
  readonly nodeFlags: readonly string[];
};

/**
 * Garbage of calls dies young: a nursery of 2 MB instead of 16 keeps the agent's memory under 30 MB and costs nothing
 * that can be measured without tracing, and a tenth of a call with it. It is as large from the start, because
 * growing it means collecting while the program loads.
 */
const smallNursery = ["--min-semi-space-size=2", "--max-semi-space-size=2"];

/** The forwarder's garbage dies young as well; 4 MB take 30 MB off its peak, and smaller ones would cost time. */
const middleNursery = ["--max-semi-space-size=4"];

/** All programs. */
export const programs: readonly Program[] = [
  { name: "kata-agent", entry: "src/agent/main.ts", nodeFlags: smallNursery },
  { name: "kata-trace-forwarder", entry: "src/forwarder/main.ts", nodeFlags: middleNursery },
  { name: "agentctl", entry: "src/ctl/main.ts", nodeFlags: [] },
];
