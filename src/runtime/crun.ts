/**
 * The one place that runs crun: its arguments, its files, its exit codes, its complaints. Two steps of a container's
 * life mostly do without a run of it (`crun-state.ts`).
 *
 * Both ways to make a process (`create` and `exec --detach`) work alike: crun is started with the container's
 * standard streams as its own, forks the process, writes its pid to a file and ends; the process, orphaned by that,
 * becomes a child of the agent, which is child subreaper. Between crun's fork and our reading of the file the process
 * may already have died, so the reaper is told to expect a stranger until the pid is adopted.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { AgentError } from "../base/agent-error.ts";
import { Code } from "../base/code.ts";
import { abortable, deadline } from "../base/deadline.ts";
import { exitStatus } from "../base/exit.ts";
import { type ContainerId, pid } from "../base/ids.ts";
import { type Log, silentLog } from "../base/log.ts";
import type { Child } from "../sys/child.ts";
import type { Reaper } from "../sys/reaper.ts";
import { type SpawnRequest, spawnAside } from "../sys/spawn.ts";
import { type LiveSpan, span, traceEnvironment } from "../trace/span.ts";
import type { Bundle } from "./bundle.ts";
import { crunError } from "./crun-error.ts";
import { crunComplaint } from "./crun-log.ts";
import { crunReason } from "./crun-reason.ts";
import { crunResources } from "./crun-resources.ts";
import { forgetState, releaseInit } from "./crun-state.ts";
import { withDefaultLimits } from "./default-limits.ts";
import { DeviceRules } from "./device-rules.ts";
import { withHome } from "./home.ts";
import type { CrunHooks } from "./hooks.ts";
import type { OciProcess, OciResources } from "./oci.ts";
import { openConsole } from "./open-console.ts";
import { openPipes } from "./open-pipes.ts";
import type { ProcessIo } from "./process-io.ts";
import { checkLabel } from "./selinux.ts";

/** Where crun and its files are, and the limits of its runs. */
export type CrunOptions = {
  /** Path of the program. */
  file: string;
  /** crun's state directory (`--root`). */
  stateDir: string;
  /** Directory for short-lived sockets; its path must be short, a socket's name ends at 107 bytes. */
  runDir: string;
  /** `--cgroup-manager`: `disabled` where no cgroup tree is ours. */
  cgroupManager: "cgroupfs" | "disabled";
  /** True when the guest's root is an initramfs, which cannot be pivoted away from (agent-api 1.4 step 5). */
  noPivot: boolean;
  /** How long one run of crun may take before it is killed. */
  timeoutMs: number;
  /** Capacity of the output pipes (`agent.container_pipe_size`); 0 = the kernel's default. */
  pipeBytes: number;
  reaper: Reaper;
  /** Where failures are told that fail nothing else, such as those of hooks. Absent: nowhere. */
  log?: Log;
  /** Whether containers get the device rules of their documents; absent: they do not. */
  deviceRules?: DeviceRules;
};

/** A process of a container as crun left it: ours to wait for, with our ends of its streams. */
export type Launched = { child: Child; io: ProcessIo };

/** crun works with what the agent's own environment holds nothing of. */
const crunEnv = { PATH: "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin" };

/** How long a killed crun is waited for. */
const killedMs = 5_000;

/** Runs crun for all containers of the agent. */
export class Crun {
  readonly deviceRules: DeviceRules;
  readonly #options: CrunOptions;
  #serial = 0;

  constructor(options: CrunOptions) {
    this.#options = options;
    this.deviceRules = options.deviceRules ?? DeviceRules.none;
  }

  get log(): Log {
    return this.#options.log ?? silentLog;
  }

  /**
   * Creates a container from `bundle` (its `config.json` is written) up to the point before its program runs.
   * `hooks` are those that it runs on the way.
   * @throws INTERNAL with crun's complaint; nothing of the container is left in crun's state then.
   */
  create(id: ContainerId, bundle: Bundle, terminal: boolean, hooks?: CrunHooks): Promise<Launched> {
    const args = ["create", "--bundle", bundle.path];
    if (this.#options.noPivot) args.push("--no-pivot");
    return this.#launch("create", args, id, bundle, terminal, hooks);
  }

  /**
   * Starts `process` in the running container `id`; its program runs when this resolves.
   * @throws INTERNAL with crun's complaint, `the file … was not found` for a missing program.
   */
  async exec(id: ContainerId, bundle: Bundle, process: OciProcess): Promise<Launched> {
    await checkLabel(process);
    const name = `process-${this.#next()}.json`;
    const file = bundle.write(name, await withHome(withDefaultLimits(process), bundle.rootfs));
    try {
      const args = ["exec", "--detach", "--process", file];
      return await this.#launch("exec", args, id, bundle, process.terminal === true);
    } finally {
      bundle.drop(name);
    }
  }

  /** Lets the created container's program run. @throws INTERNAL when it was started before or has died. */
  start(id: ContainerId, bundle: Bundle): Promise<void> {
    return span("init release", {}, async () => {
      if (!releaseInit(this.#folderOf(id))) await this.#plain("start", ["start"], id, bundle);
    });
  }

  /**
   * Applies `resources`, but for the rules of devices, which stay for a container's life; what they do not name stays
   * as it is. @throws INTERNAL with crun's complaint.
   */
  async update(id: ContainerId, bundle: Bundle, resources: OciResources): Promise<void> {
    const name = `resources-${this.#next()}.json`;
    const { devices: _stay, ...figures } = crunResources(resources);
    const file = bundle.write(name, figures);
    try {
      await this.#plain("update", ["update", "--resources", file], id, bundle);
    } finally {
      bundle.drop(name);
    }
  }

  /**
   * Removes the container with its cgroup, killing what still runs. `ended`: nothing does, and the cgroup is gone.
   * @throws INTERNAL.
   */
  delete(id: ContainerId, bundle: Bundle, ended = false): Promise<void> {
    return span("container delete", {}, async () => {
      if (!ended || !forgetState(this.#folderOf(id)))
        await this.#plain("delete", ["delete", "--force"], id, bundle);
    });
  }

  #folderOf(id: ContainerId): string {
    return join(this.#options.stateDir, id);
  }

  #plain(command: string, args: string[], id: ContainerId, bundle: Bundle): Promise<void> {
    return span(`crun ${command}`, { "kata.crun.command": command }, async (live) => {
      const log = `crun-${this.#next()}.log`;
      using _stranger = this.#options.reaper.expect();
      try {
        const child = await this.#spawn(args, bundle.file(log), id, ["null", "null", "null"]);
        await this.#finished(command, child, join(bundle.path, log), live);
      } finally {
        bundle.drop(log);
      }
    });
  }

  #launch(
    command: string,
    args: string[],
    id: ContainerId,
    bundle: Bundle,
    terminal: boolean,
    hooks?: CrunHooks,
  ): Promise<Launched> {
    return span(`crun ${command}`, { "kata.crun.command": command }, async (live) => {
      const serial = this.#next();
      const log = `crun-${serial}.log`;
      const pidName = `pid-${serial}`;
      const streams = terminal
        ? openConsole(join(this.#options.runDir, `tty-${serial}`))
        : openPipes(this.#options.pipeBytes);
      using _stranger = this.#options.reaper.expect();
      let launched = false;
      try {
        const more = ["--pid-file", bundle.file(pidName), ...streams.crunArgs];
        const child = await this.#spawn([...args, ...more], bundle.file(log), id, streams.childStdio);
        streams.closeChildSide();
        await this.#finished(command, child, join(bundle.path, log), live, hooks?.maxMs);
        const io = await streams.connect(this.#options.timeoutMs);
        const process = this.#options.reaper.adopt(
          pid(Number(readFileSync(join(bundle.path, pidName), "utf8"))),
        );
        live.set({ "process.pid": process.pid });
        launched = true;
        return { child: process, io };
      } finally {
        if (!launched) streams.close();
        hooks?.tell(live);
        for (const name of [log, pidName]) bundle.drop(name);
      }
    });
  }

  async #spawn(args: string[], log: string, id: ContainerId, stdio: SpawnRequest["stdio"]): Promise<Child> {
    const { file, stateDir, cgroupManager } = this.#options;
    const general = [
      `--root=${stateDir}`,
      `--log=${log}`,
      "--log-format=json",
      `--cgroup-manager=${cgroupManager}`,
    ];
    try {
      const trace = Object.fromEntries(traceEnvironment().map(entryOf));
      const env = { ...crunEnv, ...trace };
      return await spawnAside({ file, args: [...general, ...args, id], env, stdio });
    } catch (error) {
      throw AgentError.from(error, `run ${file}`);
    }
  }

  /** Waits for crun itself, kills it at the time limit, and turns its complaint into an error. */
  async #finished(command: string, child: Child, log: string, live: LiveSpan, moreMs = 0): Promise<void> {
    const timeoutMs = this.#options.timeoutMs + moreMs;
    const limit = deadline(timeoutMs);
    try {
      const exit = await abortable(child.exited, limit.signal);
      if (exit.how === "exited" && exit.code === 0) return;
      const complaint = crunComplaint(readText(log));
      if (exit.how === "exited") live.set({ "kata.crun.exit.code": exit.code });
      live.event("crun failed", { "kata.reason": crunReason(complaint) });
      throw crunError(command, complaint, `ended with status ${exitStatus(exit)}`);
    } catch (error) {
      if (!limit.signal.aborted) throw error;
      child.signal(9);
      await endedOrGivenUp(child);
      throw new AgentError(Code.internal, `crun ${command}: no end within ${timeoutMs} ms`);
    } finally {
      limit.done();
    }
  }

  #next(): number {
    this.#serial += 1;
    return this.#serial;
  }
}

function entryOf(entry: string): [string, string] {
  const equals = entry.indexOf("=");
  return [entry.slice(0, equals), entry.slice(equals + 1)];
}

/** A killed process that hangs in the kernel, on a share that does not answer, must not hold up its caller. */
async function endedOrGivenUp(child: Child): Promise<void> {
  const limit = deadline(killedMs);
  await abortable(child.exited, limit.signal).catch(() => undefined);
  limit.done();
}

function readText(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}
