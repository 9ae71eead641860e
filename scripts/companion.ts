import { type ChildProcess, spawn } from "node:child_process";

/** Time to end in good order before we insist. */
const graceMs = 6_000;
const keptChars = 64 * 1024;

/** A program that runs beside us and ends with us, also when we are killed. */
export class Companion {
  static readonly #running = new Set<Companion>();
  readonly #child: ChildProcess;
  #output = "";
  /** `status 0`, `SIGTERM`, or why it did not start. Never rejects. */
  readonly ended: Promise<string>;

  /** Starts it. `inherit`: it speaks to our terminal; else its output is kept, see {@link output}. */
  constructor(
    name: string,
    file: string,
    args: readonly string[],
    env: Readonly<Record<string, string>>,
    stdout: "inherit" | "pipe" = "pipe",
  ) {
    // The parent's death is a signal to the child, so that nothing is left of a demo that was killed.
    const watched = ["--pdeathsig", "KILL", file, ...args];
    // In a group of its own, or Ctrl-C would reach it twice: from the terminal and from us.
    this.#child = spawn("setpriv", watched, {
      stdio: ["ignore", stdout, stdout],
      env: { ...process.env, ...env },
      detached: true,
    });
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      stream?.setEncoding("utf8").on("data", (text: string) => {
        this.#output = (this.#output + text).slice(-keptChars);
      });
    }
    Companion.#running.add(this);
    this.ended = new Promise((resolve) => {
      this.#child.once("error", (error) => resolve(`${name} did not start: ${error.message}`));
      this.#child.once("close", (code, signal) => resolve(code === null ? String(signal) : `status ${code}`));
    });
    void this.ended.then(() => Companion.#running.delete(this));
  }

  /** The last 64 KiB of what it wrote. */
  output(): string {
    return this.#output;
  }

  /** Asks it to end with `signal`, insists after a while, and waits until it is gone. Repeatable. */
  async close(signal: "SIGTERM" | "SIGKILL" = "SIGTERM"): Promise<void> {
    if (!Companion.#running.has(this)) return;
    this.#child.kill(signal);
    const insist = setTimeout(() => this.#child.kill("SIGKILL"), graceMs);
    await this.ended;
    clearTimeout(insist);
  }

  /** Asks all of them to end; whoever waits for them goes on from there. */
  static endAll(): void {
    for (const companion of Companion.#running) companion.#child.kill("SIGTERM");
  }
}
