import { buildProcess, buildSpec } from "../../src/ctl/spec.ts";
import { AgentServiceMethods } from "../../src/gen/methods.ts";
import { type Client, type ClientOf, clientOf } from "../../src/rpc/client.ts";
import { createTtrpcClient } from "../../src/rpc/ttrpc/client.ts";
import { dial } from "../../src/vsock/dial.ts";

/** Parts of one container's life, ms. */
export type Life = { create: number; start: number; wait: number; remove: number; all: number };

const connectMs = 2_000;
const sigstop = 19;
/** What the Go runtime asks for in one call. */
const streamBytes = 32 * 1024;
const moreBytes = new Uint8Array(streamBytes);

/** Plays the runtime: the calls of a container's life, timed. */
export class Runtime implements AsyncDisposable {
  /** Where the agent listens. */
  readonly socket: string;
  readonly #client: Client;
  readonly #rootfs: string;
  readonly #calls: ClientOf<typeof AgentServiceMethods>;
  #serial = 0;

  private constructor(socket: string, client: Client, rootfs: string) {
    this.socket = socket;
    this.#client = client;
    this.#rootfs = rootfs;
    this.#calls = clientOf(client, AgentServiceMethods);
  }

  /** `rootfs`: the root of every container, shared by all. */
  static async connect(socket: string, rootfs: string): Promise<Runtime> {
    const stream = await dial({ kind: "unix", path: socket }, { timeoutMs: connectMs });
    return new Runtime(socket, createTtrpcClient(stream), rootfs);
  }

  async createSandbox(id: string): Promise<void> {
    await this.#calls.CreateSandbox({ sandbox_id: id, hostname: id });
  }

  /** Creates, starts, awaits and removes a container that runs `true`. */
  async life(): Promise<Life> {
    const id = this.#name("life");
    const marks = [performance.now()];
    await this.create(id, ["true"]);
    marks.push(performance.now());
    await this.#calls.StartContainer({ container_id: id });
    marks.push(performance.now());
    await this.#calls.WaitProcess({ container_id: id, exec_id: id });
    marks.push(performance.now());
    await this.#calls.RemoveContainer({ container_id: id });
    marks.push(performance.now());
    const part = (index: number) => (marks[index + 1] ?? 0) - (marks[index] ?? 0);
    return {
      create: part(0),
      start: part(1),
      wait: part(2),
      remove: part(3),
      all: (marks[4] ?? 0) - (marks[0] ?? 0),
    };
  }

  /** Creates a container and lets it run. */
  async run(id: string, args: readonly string[]): Promise<void> {
    await this.create(id, args);
    await this.#calls.StartContainer({ container_id: id });
  }

  async create(id: string, args: readonly string[]): Promise<void> {
    const OCI = buildSpec({
      containerId: id,
      sandboxId: id,
      role: "container",
      rootPath: this.#rootfs,
      args,
      ownShm: true,
    });
    await this.#calls.CreateContainer({ container_id: id, exec_id: id, OCI });
  }

  /** Stops a container where it is, with its input full and a call that writes there outstanding until its removal. */
  async freeze(id: string): Promise<void> {
    await this.#calls.SignalProcess({ container_id: id, exec_id: "", signal: sigstop });
    const written = this.#calls.WriteStdin({ container_id: id, exec_id: id, data: new Uint8Array(1 << 20) });
    written.catch(() => undefined);
  }

  remove(id: string): Promise<unknown> {
    return this.#calls.RemoveContainer({ container_id: id });
  }

  /** Runs `true` in a running container to its end. */
  async exec(container: string): Promise<void> {
    await this.wait(container, await this.startExec(container, ["true"]));
  }

  /** Reads what `args` prints to its end, one call after the other; answers MB/s (10^6 bytes). */
  async readAll(container: string, args: readonly string[]): Promise<number> {
    const exec = await this.startExec(container, args);
    const startMs = performance.now();
    let bytes = 0;
    for (;;) {
      const { data } = await this.#calls.ReadStdout({
        container_id: container,
        exec_id: exec,
        len: streamBytes,
      });
      if (data.length === 0) break;
      bytes += data.length;
    }
    const ms = performance.now() - startMs;
    await this.wait(container, exec);
    return bytes / 1000 / ms;
  }

  /** Writes `bytes` zeros to the input of `args`, one call after the other, until it has ended; answers MB/s. */
  async writeAll(container: string, args: readonly string[], bytes: number): Promise<number> {
    const exec = await this.startExec(container, args);
    const process = { container_id: container, exec_id: exec };
    const startMs = performance.now();
    for (let sent = 0; sent < bytes; sent += streamBytes) {
      await this.#calls.WriteStdin({ ...process, data: moreBytes });
    }
    await this.#calls.CloseStdin(process);
    await this.wait(container, exec);
    return bytes / 1000 / (performance.now() - startMs);
  }

  /** Starts a process in a running container; answers its exec id. */
  async startExec(container: string, args: readonly string[]): Promise<string> {
    const exec_id = this.#name("exec");
    await this.#calls.ExecProcess({ container_id: container, exec_id, process: buildProcess({ args }) });
    return exec_id;
  }

  /** Waits until it has ended. */
  async wait(container: string, exec: string): Promise<void> {
    await this.#calls.WaitProcess({ container_id: container, exec_id: exec });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#client.close();
  }

  #name(kind: string): string {
    this.#serial += 1;
    return `${kind}-${process.pid}-${this.#serial}`;
  }
}
