import { execFileSync } from "node:child_process";
import { cpus, release, totalmem } from "node:os";

/** What the figures were measured on. */
export type Machine = Readonly<
  Record<"cpu" | "cores" | "memoryMb" | "kernel" | "node" | "crun" | "client", string>
>;

/** Set by the outer half of agent.ts: the Go client, where it could be built. */
const { KATA_BENCH_CLIENT = "" } = process.env;

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
    crun: /version (\S+)/.exec(crun)?.[1] ?? "unknown",
    client: KATA_BENCH_CLIENT === "" ? "Node, requests encoded beforehand" : "Go, containerd/ttrpc",
  };
}
