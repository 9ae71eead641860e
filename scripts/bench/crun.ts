/**
 * crun without the agent: the same program, started in the same way (vfork in the addon, awaited by pidfd), with the
 * document that the agent itself wrote. What the agent needs beyond this is the agent's.
 */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pid } from "../../src/base/ids.ts";
import { silentLog } from "../../src/base/log.ts";
import type { Child } from "../../src/sys/child.ts";
import { Reaper } from "../../src/sys/reaper.ts";
import { spawn } from "../../src/sys/spawn.ts";
import { becomeChildSubreaper } from "../../src/sys/subreaper.ts";

const agentBundles = "/run/kata-containers";
const agentState = join(agentBundles, ".agent/crun");
const { PATH = "/usr/bin:/bin" } = process.env;
const env = { PATH };

/** Container lives by crun alone: the baseline beside the agent's. */
export class BareCrun {
  readonly #dir: string;
  readonly #template: { linux: { cgroupsPath: string } };
  readonly #exec: string;
  readonly #reaper = new Reaper(silentLog);
  #serial = 0;

  /** Takes the document of `container`, which the agent has running, with the root file system at `rootfs`. */
  constructor(dir: string, container: string, rootfs: string) {
    this.#dir = dir;
    mkdirSync(dir, { recursive: true });
    const document = JSON.parse(readFileSync(join(agentBundles, container, "config.json"), "utf8"));
    const process = { ...document.process, args: ["true"] };
    this.#template = { ...document, process, root: { ...document.root, path: rootfs } };
    this.#exec = join(dir, "exec.json");
    writeFileSync(this.#exec, JSON.stringify(process));
    becomeChildSubreaper();
  }

  /** Creates, starts, awaits and deletes a container that runs `true`; ms. The bundle is made before the clock runs. */
  async life(): Promise<number> {
    const id = `bare-${++this.#serial}`;
    const bundle = join(this.#dir, id);
    mkdirSync(bundle);
    const linux = { ...this.#template.linux, cgroupsPath: `/k8s.io/${id}` };
    writeFileSync(join(bundle, "config.json"), JSON.stringify({ ...this.#template, linux }));
    const general = [`--root=${join(this.#dir, "state")}`, "--cgroup-manager=cgroupfs"];
    const startMs = performance.now();
    const pidFile = join(bundle, "pid");
    const init = await this.#launch(
      [...general, "create", "--bundle", bundle, "--pid-file", pidFile, id],
      pidFile,
    );
    await run([...general, "start", id]);
    await init.exited;
    await run([...general, "delete", id]);
    return performance.now() - startMs;
  }

  /** Runs `true` in a container of the agent's and waits for its end; ms. */
  async exec(container: string): Promise<number> {
    const pidFile = join(this.#dir, "exec.pid");
    const args = ["exec", "--detach", "--process", this.#exec, "--pid-file", pidFile, container];
    const startMs = performance.now();
    const child = await this.#launch([`--root=${agentState}`, "--cgroup-manager=cgroupfs", ...args], pidFile);
    await child.exited;
    return performance.now() - startMs;
  }

  /** Runs crun and follows the process that it leaves. */
  async #launch(args: readonly string[], pidFile: string): Promise<Child> {
    await run(args);
    return this.#reaper.adopt(pid(Number(readFileSync(pidFile, "utf8"))));
  }
}

async function run(args: readonly string[]): Promise<void> {
  const exit = await spawn({ file: "crun", args, env, stdio: ["null", "null", "null"] }).exited;
  if (exit.how !== "exited" || exit.code !== 0) throw new Error(`crun ${args.join(" ")} failed`);
}
