import { execFileSync } from "node:child_process";
import { cpus, release, totalmem } from "node:os";

/** What the figures were measured on. */
export type Machine = Readonly<
  Record<"cpu" | "cores" | "memoryMb" | "kernel" | "node" | "crun" | "client", string>
>;

/** The Go client, where the outer half of agent.ts could build it; a crun in the place of the machine's. */
const { KATA_BENCH_CLIENT = "", CRUN = "" } = process.env;

/** Asks this machine. */
export function machine(): Machine {
  const all = cpus();
  const crun = execFileSync("crun", ["--version"], { encoding: "utf8" });
  return {
    cpu: all[0]?.model ?? "unknown",
    cores: String(all.length),
    memoryMb: String(Math.round(totalmem() / 2 ** 20)),
    kernel: release(),
    node: process.version,
    crun: `${/version (\S+)/.exec(crun)?.[1] ?? "unknown"}${CRUN === "" ? "" : ", not the machine's own"}`,
    client: KATA_BENCH_CLIENT === "" ? "Node, requests encoded beforehand" : "Go, containerd/ttrpc",
  };
}
