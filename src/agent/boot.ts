/**
 * The duties of a first process before it can serve (agent-api 1.2), each a step of the boot trace.
 */
import { readFile } from "node:fs/promises";
import { basename } from "node:path";
import { AgentError } from "../base/agent-error.ts";
import type { Log } from "../base/log.ts";
import { mountExtension } from "../storage/extension.ts";
import { setHostname } from "../sys/hostname.ts";
import { setLinkUp } from "../sys/link-up.ts";
import { loadModule } from "../sys/load-module.ts";
import { setControllingTerminal, startSession } from "../sys/session.ts";
import type { BootStep, BootSteps } from "../trace/boot-steps.ts";
import { linkPtmx, mountBase, mountCgroups } from "./base-mounts.ts";
import { extensionWords } from "./extension-words.ts";
import type { Role } from "./role.ts";

/** Lists the kernel modules to load, one path a line; put into the image beside the program. Missing: none. */
const moduleList = "/usr/lib/kata-agent-node/modules.list";

/** Mounts what must be there before the options can be read. @throws INTERNAL. */
export function bootMounts(role: Role, steps: BootSteps): Promise<void> {
  return steps.step("base mounts", { "kata.boot.step": "base mounts" }, (whole) =>
    mountBase(role, (fstype, work) => steps.step("mount", { "kata.mount.fstype": fstype }, work, whole)),
  );
}

/**
 * The rest of the first process's duties. Only what the agent cannot serve without is fatal.
 * @throws INTERNAL.
 */
export async function bootGuest(role: Role, steps: BootSteps, log: Log): Promise<void> {
  const duty = (name: string, work: (step: BootStep) => unknown) =>
    steps.step(name, { "kata.boot.step": name }, work);
  const tolerated = (name: string, work: (step: BootStep) => unknown) =>
    duty(name, work).catch((error) =>
      log.warn({ step: name, error: AgentError.from(error).message }, "boot step failed"),
    );
  if (role === "machine-init") await tolerated("kernel modules", (step) => loadModules(steps, step, log));
  await tolerated("control groups", mountCgroups);
  if (role === "machine-init") {
    for (const extension of extensionWords(await readFile("/proc/cmdline", "utf8")))
      await tolerated("extension", () => mountExtension(extension));
    await duty("ptmx", linkPtmx);
    await tolerated("session", leadSession);
  }
  await tolerated("host name", nameHost);
  await duty("loopback", () => setLinkUp("lo"));
}

async function loadModules(steps: BootSteps, whole: BootStep, log: Log): Promise<void> {
  const list = await readFile(moduleList, "utf8").catch(() => "");
  for (const path of list.split("\n").filter(Boolean)) {
    const name = basename(path).replace(/\.ko(?:\..*)?$/, "");
    const load = () => loadModule(path).catch(unlessLoaded);
    await steps.step("kernel module", { "kata.module.name": name }, load, whole).catch((error) => {
      log.warn({ module: path, error: AgentError.from(error).message }, "kernel module was not loaded");
    });
  }
}

/** Where the root is a disk, its driver was there before it could be mounted. */
function unlessLoaded(error: NodeJS.ErrnoException): void {
  if (error.code !== "EEXIST") throw error;
}

function leadSession(): void {
  startSession();
  try {
    setControllingTerminal(0);
  } catch {
    // Without a terminal on stdin there is none to control (agent-api 1.2 step 6).
  }
}

/** `/etc/hostname` up to the first blank, `localhost` without one (agent-api 1.2 step 8). */
async function nameHost(): Promise<void> {
  const text = await readFile("/etc/hostname", "utf8").catch(() => "localhost");
  setHostname(text.trim().split(/\s/, 1)[0] || "localhost");
}
