import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { setTimeout as pause } from "node:timers/promises";

const ticksPerSecond = 100;
const startLimitMs = 300_000;
const pollMs = 50;
const quietMs = 500;
const keptOutput = 4000;

/** What a program costs, as the kernel counts. */
export type Cost = {
  /** User and system time since its start. */
  readonly cpuS: number;
  readonly residentMb: number;
  readonly peakMb: number;
};

/** A program under measurement. */
export class Measured {
  readonly #child: ChildProcess;
  #output = "";

  private constructor(file: string, args: readonly string[], env: Readonly<Record<string, string>>) {
    this.#child = spawn(file, args, { stdio: ["ignore", "ignore", "pipe"], env: { ...process.env, ...env } });
    this.#child.stderr?.on("data", (chunk) => {
      this.#output = (this.#output + chunk).slice(-keptOutput);
    });
  }

  /** Starts it and waits until `isReady` says so. @throws Error with what it printed last. */
  static async start(
    file: string,
    args: readonly string[],
    isReady: () => Promise<boolean>,
    env: Readonly<Record<string, string>> = {},
  ): Promise<Measured> {
    const program = new Measured(file, args, env);
    const untilMs = performance.now() + startLimitMs;
    while (!(await isReady().catch(() => false))) {
      if (program.#child.exitCode !== null || performance.now() > untilMs) {
        await program.stop();
        throw new Error(`${file}: ${program.#output}`);
      }
      await pause(pollMs);
    }
    return program;
  }

  cost(): Cost {
    const { pid } = this.#child;
    const fields = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")[1]?.split(" ") ?? [];
    const status = readFileSync(`/proc/${pid}/status`, "utf8");
    const mb = (key: string) => Number(new RegExp(`${key}:\\s+(\\d+)`).exec(status)?.[1]) / 1024;
    const cpuS = (Number(fields[11]) + Number(fields[12])) / ticksPerSecond;
    return { cpuS, residentMb: mb("VmRSS"), peakMb: mb("VmHWM") };
  }

  /** Resolves when it has had nothing to do for half a second. */
  async quiet(): Promise<void> {
    for (let before = -1, now = this.cost().cpuS; now > before; now = this.cost().cpuS) {
      before = now;
      await pause(quietMs);
    }
  }

  /** Ends it at once. Safe to repeat. */
  async stop(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const closed = once(this.#child, "close");
    this.#child.kill("SIGKILL");
    await closed;
  }
}
