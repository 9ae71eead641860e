import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readdirSync, readFileSync, watch } from "node:fs";
import { createConnection } from "node:net";
import { basename, dirname, join } from "node:path";

const root = join(import.meta.dirname, "../..");
/** The executables that `make build` leaves. */
export const built = (name: string): string => join(root, "build", name);
/** A file of this directory. */
export const script = (name: string): string => join(import.meta.dirname, name);

const startLimitMs = 10_000;
const endLimitMs = 5_000;
/** The least environment: nothing of the caller's may change how Node starts. */
const { PATH = "/usr/bin:/bin" } = process.env;
const environment = { PATH };

/** A process that listens on a unix socket and is measured; ended by whoever started it. */
export class Server implements AsyncDisposable {
  readonly socket: string;
  /** From just before the start until the socket took a connection, ms. */
  readonly listeningMs: number;
  readonly #child: ChildProcess;

  private constructor(socket: string, child: ChildProcess, listeningMs: number) {
    this.socket = socket;
    this.#child = child;
    this.listeningMs = listeningMs;
  }

  /** Starts `argv` and waits until it listens on `socket`. `env` is added to the least environment. */
  static async start(
    socket: string,
    argv: readonly string[],
    env: Record<string, string> = {},
  ): Promise<Server> {
    const [file = "", ...args] = argv;
    const appears = appearance(socket);
    const startMs = performance.now();
    const child = spawn(file, args, {
      env: { ...environment, ...env },
      stdio: ["ignore", "ignore", "inherit"],
    });
    const failed = once(child, "exit").then(() => {
      throw new Error(`${basename(file)} ended before it listened`);
    });
    await Promise.race([appears, failed]);
    failed.catch(() => {});
    return new Server(socket, child, performance.now() - startMs);
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  /** Private memory, proportional share and all resident memory, MB. */
  memory(): { rssAnon: number; rss: number; pss: number } {
    const text = readFileSync(`/proc/${this.pid}/smaps_rollup`, "utf8");
    const mb = (key: string) => Number(new RegExp(`^${key}:\\s+(\\d+) kB`, "m").exec(text)?.[1]) / 1024;
    return { rssAnon: mb("Anonymous"), rss: mb("Rss"), pss: mb("Pss") };
  }

  descriptors(): number {
    return readdirSync(`/proc/${this.pid}/fd`).length;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const exited = once(this.#child, "exit");
    this.#child.kill("SIGTERM");
    const force = setTimeout(() => this.#child.kill("SIGKILL"), endLimitMs);
    await exited;
    clearTimeout(force);
  }
}

/** Resolves when the socket takes connections. Waits for its file to appear, so that waiting costs no processor. */
async function appearance(path: string): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const limit = setTimeout(() => reject(new Error(`nothing listens on ${path}`)), startLimitMs);
  // Between bind and listen a connection is refused: that moment is short, so the next turn tries again.
  const attempt = () => {
    const socket = createConnection(path, () => {
      socket.destroy();
      resolve();
    });
    socket.on("error", () => setImmediate(attempt));
  };
  const watcher = watch(dirname(path), (_event, name) => {
    if (name !== basename(path)) return;
    watcher.close();
    attempt();
  });
  try {
    await promise;
  } finally {
    clearTimeout(limit);
    watcher.close();
  }
}
