import { spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, openSync, readFileSync } from "node:fs";
import { basename } from "node:path";

/** A program of the control plane that runs. */
export type Served = {
  /** @throws Error with the last of what it has said when it has ended. */
  check(): void;
  close(): Promise<void>;
};

/** How much of a log an error has. */
const tail = 4000;

/** Starts it, with what it says in files beside `log`; it ends with us, however we end. */
export function serve(program: string, args: readonly string[], log: string): Served {
  const file = openSync(`${log}.log`, "w");
  const child = spawn("setpriv", ["--pdeathsig", "KILL", "--", program, ...args], {
    stdio: ["ignore", file, file],
  });
  closeSync(file);
  const exit = once(child, "exit");
  exit.catch(() => {});
  const hasEnded = () => child.exitCode !== null || child.signalCode !== null;
  return {
    check: () => {
      if (!hasEnded()) return;
      throw new Error(`${basename(program)} has ended: ${readFileSync(`${log}.log`, "utf8").slice(-tail)}`);
    },
    close: async () => {
      if (!hasEnded()) child.kill("SIGKILL");
      await exit;
    },
  };
}
