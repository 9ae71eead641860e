/** One program that `make build` leaves as an executable in build/. */
export type Program = {
  /** Name of the executable and of its bundle. */
  readonly name: string;
  /** Its main file. */
  readonly entry: string;
  /** Flags for Node, compiled into the launcher. */
  readonly nodeFlags: readonly string[];
};

export const programs: readonly Program[] = [
  { name: "kata-agent", entry: "src/agent/main.ts", nodeFlags: [] },
  { name: "kata-trace-forwarder", entry: "src/forwarder/main.ts", nodeFlags: [] },
  { name: "agentctl", entry: "src/ctl/main.ts", nodeFlags: [] },
];
