import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { AgentServiceMethods, HealthMethods } from "../../src/gen/methods.ts";
import { type Client, type ClientOf, clientOf } from "../../src/rpc/client.ts";
import { createGrpcClient } from "../../src/rpc/grpc/client.ts";
import { createTtrpcClient } from "../../src/rpc/ttrpc/client.ts";
import { dial, dialSocket } from "../../src/vsock/dial.ts";
import { makeBusyboxRoot } from "./busybox-root.ts";
import { processOf, specOf, type Wanted } from "./container-spec.ts";
import { removeLeftGroups } from "./left-groups.ts";

/**
 * The real agent, as it is built, in namespaces of its own, with a client of ours on its socket.
 *
 * Groups of processes are the one thing that two agents of one machine share, so every container id begins with a
 * word of its own per agent.
 */

const repository = join(import.meta.dirname, "../..");
const builtAgent = join(repository, "build/kata-agent");
const answersWithinMs = 120_000;
const endsWithinMs = 30_000;
const comesTrueWithinMs = 120_000;
/** Tests look for every span: on a busy machine the last ones may need longer than the second they have otherwise. */
const patience = { KATA_AGENT_TRACE_FLUSH_TIMEOUT: "20" };
/** For tests in which the spans have nowhere to go. */
export const impatience = { KATA_AGENT_TRACE_FLUSH_TIMEOUT: "1" };

/** What a test may want different. */
export type AgentWishes = {
  /** More environment, such as `KATA_AGENT_TRACING`. */
  readonly env?: Readonly<Record<string, string>>;
  /** Text of a configuration file, for options that the environment does not carry. */
  readonly config?: string;
  /** Have the agent as an ordinary process below a first process that only waits. Default: it is the first. */
  readonly ordinary?: boolean;
  /** Another build of the agent than that of the sources. */
  readonly program?: string;
};

/** For what an ordinary user's namespaces lack: control groups, other owners of files, a way in by nsenter. */
export const needsRoot = { skip: process.getuid?.() === 0 ? false : "needs root" } as const;

/** All calls of the agent, by name. */
export type Methods = ClientOf<typeof AgentServiceMethods> & ClientOf<typeof HealthMethods>;

/** How the agent itself ended. */
export type AgentEnd = { readonly code: number | null; readonly signal: NodeJS.Signals | null };

/** A line of the agent's log, parsed. */
export type LogLine = Readonly<Record<string, unknown>> & { readonly msg?: string };

/** Starts an agent and waits until it answers. Disposing of it ends everything that it has started. */
export async function startAgent(wishes: AgentWishes = {}): Promise<RealAgent> {
  const folder = mkdtempSync(join(tmpdir(), "real-agent-"));
  const agent = new RealAgent(folder, launch(folder, wishes), wishes.ordinary === true);
  try {
    await agent.answers();
    return agent;
  } catch (error) {
    await agent[Symbol.asyncDispose]();
    throw new Error(`the agent did not come up: ${agent.output}`, { cause: error });
  }
}

function launch(folder: string, { env, ordinary, config, program = builtAgent }: AgentWishes): ChildProcess {
  const { PATH } = process.env;
  // It tells which groups of processes the agent has left, before it ends and takes the rest of its world with it.
  const below = ["/bin/sh", "-c", '"$0" "$@" & wait $!; code=$?; ls /sys/fs/cgroup; exit $code'];
  const file = config === undefined ? [] : ["--config", join(folder, "agent.toml")];
  if (config !== undefined) writeFileSync(join(folder, "agent.toml"), config);
  const world = join(repository, "scripts/namespaces.sh");
  // A test that is killed disposes of nothing, and its agents have to end all the same.
  const command = ["--pdeathsig", "KILL", "--", world, ...(ordinary === true ? below : []), program, ...file];
  return spawn("setpriv", command, {
    stdio: ["ignore", "pipe", "pipe"],
    env: { PATH, KATA_AGENT_SERVER_ADDR: `unix://${folder}/agent.sock`, ...patience, ...env },
  });
}

/** An agent that answers. */
export class RealAgent implements AsyncDisposable {
  /** A folder of the test's own, seen by the agent under the same path. */
  readonly folder: string;
  /** Root file system for containers. */
  readonly root: string;
  readonly ended: Promise<AgentEnd>;
  readonly #process: ChildProcess;
  readonly #ordinary: boolean;
  readonly #prefix = `t${process.pid}-${Math.random().toString(36).slice(2, 8)}`;
  readonly #clients: Client[] = [];
  #calls: Methods | undefined;
  #pid: number | undefined;
  #output = "";

  constructor(folder: string, child: ChildProcess, ordinary: boolean) {
    this.folder = folder;
    this.root = makeBusyboxRoot(join(folder, "root"));
    this.#process = child;
    this.#ordinary = ordinary;
    for (const stream of [child.stdout, child.stderr]) {
      stream?.on("data", (chunk: Buffer) => {
        this.#output += chunk.toString();
      });
    }
    this.ended = once(child, "close").then(([code, signal]) => ({ code, signal }) as AgentEnd);
  }

  /** All that the agent has said, on both its outputs. */
  get output(): string {
    return this.#output;
  }

  get logLines(): LogLine[] {
    return this.#output
      .split("\n")
      .filter((line) => line.startsWith("{"))
      .map((line) => JSON.parse(line) as LogLine);
  }

  /** Calls by name over the first connection. */
  get calls(): Methods {
    if (this.#calls === undefined) throw new Error("the agent does not answer yet");
    return this.#calls;
  }

  /** Process id of the agent as the machine sees it. */
  get pid(): number {
    this.#pid ??= this.#ordinary ? childOf(childOf(this.#process.pid)) : childOf(this.#process.pid);
    return this.#pid;
  }

  /** An id that no other agent on the machine uses. */
  id(name: string): string {
    return `${this.#prefix}-${name}`;
  }

  /** A path of the agent's own mount namespace, as seen from here. */
  path(inside: string): string {
    return `/proc/${this.pid}/root${inside}`;
  }

  /** Opens one more connection; it is closed with the agent. */
  async connect(): Promise<Methods & { client: Client }> {
    const client = createTtrpcClient(await dial(this.#address, { timeoutMs: answersWithinMs }));
    this.#clients.push(client);
    return { ...callsOf(client), client };
  }

  /** The same by gRPC. */
  async connectGrpc(): Promise<Methods & { client: Client }> {
    const client = createGrpcClient(await dialSocket(this.#address, { timeoutMs: answersWithinMs }));
    this.#clients.push(client);
    return { ...callsOf(client), client };
  }

  async answers(): Promise<void> {
    const until = performance.now() + answersWithinMs;
    for (;;) {
      try {
        this.#calls = await this.connect();
        await this.#calls.Check({});
        return;
      } catch (error) {
        if (performance.now() > until || this.#process.exitCode !== null) throw error;
        await pause(10);
      }
    }
  }

  /** Creates a container; its id is `id(name)`, which is returned. */
  async create(name: string, wanted: Wanted): Promise<string> {
    const id = this.id(name);
    await this.calls.CreateContainer({ container_id: id, exec_id: id, OCI: specOf(this.root, wanted) });
    return id;
  }

  /** Creates a container and lets it run. */
  async run(name: string, wanted: Wanted): Promise<string> {
    const id = await this.create(name, wanted);
    await this.calls.StartContainer({ container_id: id });
    return id;
  }

  exec(container_id: string, exec_id: string, wanted: Wanted): Promise<object> {
    return this.calls.ExecProcess({ container_id, exec_id, process: processOf(wanted) });
  }

  /** Everything a stream brings until its end. */
  async readAll(container_id: string, exec_id = "", stream: "Stdout" | "Stderr" = "Stdout"): Promise<Buffer> {
    const parts: Uint8Array[] = [];
    for (;;) {
      const { data } = await this.calls[`Read${stream}`]({ container_id, exec_id, len: 32 * 1024 });
      if (data.length === 0) return Buffer.concat(parts);
      parts.push(data);
    }
  }

  /** The next `bytes` bytes of the output as text. */
  async readText(container_id: string, bytes: number, exec_id = ""): Promise<string> {
    let text = "";
    while (text.length < bytes) {
      const { data } = await this.calls.ReadStdout({ container_id, exec_id, len: bytes - text.length });
      if (data.length === 0) break;
      text += Buffer.from(data).toString("latin1");
    }
    return text;
  }

  /** Ends whatever runs in a container and removes it. */
  async remove(container_id: string): Promise<void> {
    await this.calls.SignalProcess({ container_id, exec_id: "", signal: 9 });
    await this.calls.WaitProcess({ container_id, exec_id: container_id });
    await this.calls.RemoveContainer({ container_id });
  }

  /** Stops reading what the agent says; it gets EPIPE for the next line. */
  closeOutput(): void {
    this.#process.stdout?.destroy();
    this.#process.stderr?.destroy();
  }

  /** What a call may leave behind, in comparable form: descriptors, mounts, groups, processes, files. */
  traces(): Traces {
    return {
      descriptors: readdirSync(`/proc/${this.pid}/fd`)
        .map((fd) => linkOf(`/proc/${this.pid}/fd/${fd}`))
        .filter((target) => target !== undefined)
        .sort(),
      mounts: readFileSync(`/proc/${this.pid}/mountinfo`, "utf8")
        .split("\n")
        .map((line) => line.split(" ")[4] ?? ""),
      groups: names(this.path("/sys/fs/cgroup")).filter((name) => name.startsWith(this.#prefix)),
      children: this.children(),
      files: ["", "/.agent", "/.agent/crun"].flatMap((folder) =>
        names(this.path(`/run/kata-containers${folder}`)).map((name) => `${folder}/${name}`),
      ),
    };
  }

  /** How many children the agent has, zombies included. */
  children(): number {
    const text = readFileSync(`/proc/${this.pid}/task/${this.pid}/children`, "utf8");
    return text.split(" ").filter(Boolean).length;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const running = this.#process.exitCode === null && this.#process.signalCode === null;
    if (running && this.#calls !== undefined) {
      // By its own door, so that no group of processes is left on the machine.
      await this.#calls.DestroySandbox({}, { timeoutMs: endsWithinMs }).catch(() => undefined);
      await Promise.race([this.ended, pause(endsWithinMs, undefined, { ref: false })]);
    }
    this.#process.kill("SIGKILL");
    await this.ended;
    await Promise.all(this.#clients.map((client) => client.close()));
    await eventually(() => removeLeftGroups(`${this.#prefix}-`));
    rmSync(this.folder, { recursive: true });
  }

  get #address(): { kind: "unix"; path: string } {
    return { kind: "unix", path: join(this.folder, "agent.sock") };
  }
}

/** What an agent holds of the machine; compared before and after, it tells what leaks. */
export type Traces = {
  readonly descriptors: readonly string[];
  readonly mounts: readonly string[];
  readonly groups: readonly string[];
  readonly children: number;
  readonly files: readonly string[];
};

/** Looks again and again until `condition` holds; false when it does not within two minutes. */
export async function eventually(condition: () => boolean | Promise<boolean>): Promise<boolean> {
  const until = performance.now() + comesTrueWithinMs;
  while (!(await condition())) {
    if (performance.now() > until) return false;
    await pause(10);
  }
  return true;
}

/** How a call failed; code 0 when it did not. */
export function refusal(call: Promise<unknown>): Promise<{ code: number | undefined; message: string }> {
  return call.then(
    () => ({ code: 0, message: "" }),
    (error: Error & { code?: number }) => ({ code: error.code, message: error.message }),
  );
}

function callsOf(client: Client): Methods {
  return { ...clientOf(client, AgentServiceMethods), ...clientOf(client, HealthMethods) };
}

function childOf(pid: number | undefined): number {
  const [child] = readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").split(" ");
  return Number(child);
}

function names(folder: string): string[] {
  try {
    return readdirSync(folder).sort();
  } catch {
    return [];
  }
}

function linkOf(path: string): string | undefined {
  try {
    return readlinkSync(path).replace(/\d+/g, "N");
  } catch {
    return undefined;
  }
}
