import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";

/** Connects, tells its own port in a line on stderr, then carries its stdin there and what comes back to its stdout. */
const carrier = `
  const socket = require("net").connect({ host: "127.0.0.1", port: Number(process.argv[1]), allowHalfOpen: true });
  socket.on("connect", () => process.stderr.write(socket.localPort + "\\n"));
  socket.on("error", () => process.exit());
  process.stdin.pipe(socket);
  socket.pipe(process.stdout);
  socket.on("end", () => process.stdout.write("", () => process.exit()));
`;

/** A stream that the host has opened for a process of a container, by TCP in the agent's own network. */
export class PassedStream implements AsyncDisposable {
  readonly port: number;
  readonly #carrier: ChildProcess;
  readonly #output: Buffer[] = [];
  readonly #ended: Promise<unknown>;

  private constructor(carrier: ChildProcess, port: number) {
    this.port = port;
    this.#carrier = carrier;
    this.#ended = carrier.stdout === null ? Promise.resolve() : once(carrier.stdout, "end");
    carrier.stdout?.on("data", (chunk: Buffer) => this.#output.push(chunk));
  }

  /** Opens one from the network namespace of process `pid` to `port`. */
  static async open(pid: number, port: number): Promise<PassedStream> {
    const namespace = `--net=/proc/${pid}/ns/net`;
    const child = spawn("nsenter", [namespace, "--", process.execPath, "-e", carrier, `${port}`]);
    const [line] = await once(child.stderr, "data");
    return new PassedStream(child, Number(line));
  }

  /** Sends bytes to the agent. */
  write(data: string | Uint8Array): void {
    this.#carrier.stdin?.write(data);
  }

  /** Closes the host's half: the end of an input. */
  end(): void {
    this.#carrier.stdin?.end();
  }

  /** All that came until the agent closed its half. */
  async whole(): Promise<Buffer> {
    await this.#ended;
    return Buffer.concat(this.#output);
  }

  /** What came so far. */
  get text(): string {
    return Buffer.concat(this.#output).toString();
  }

  /** Stops reading, so that the stream fills up; or goes on. */
  set reading(on: boolean) {
    if (on) this.#carrier.kill("SIGCONT");
    else this.#carrier.kill("SIGSTOP");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const running = this.#carrier.exitCode === null && this.#carrier.signalCode === null;
    this.#carrier.kill("SIGKILL");
    if (running) await once(this.#carrier, "close");
  }
}
