/**
 * Primer. What a guest does by itself when a device comes, as udev would: loads the module that drives it, and takes
 * new memory into use (agent-api 5.1). Only in a guest of ours: modules and memory have no namespace.
 *
 * Events come in floods (a boot, a thousand memory blocks), so module names wait in a set, each name once, and one
 * modprobe at a time loads all that wait. A name that was tried is not tried again: nothing new comes of it.
 */
import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { AgentError } from "../base/agent-error.ts";
import type { Log } from "../base/log.ts";
import { runTool } from "../sys/run-tool.ts";
import type { Uevent } from "../sys/uevent.ts";
import { backgroundSpan } from "../trace/span.ts";

const limits = { timeoutMs: 30_000, maxOutputBytes: 64 * 1024 };
/** More kinds of devices than a guest has; a host that plugs more of them must not fill the memory with names. */
const maxNames = 1_000;
const maxNameLength = 1_000;
/** Names for one run of modprobe. */
const batch = 32;
/** Buses whose devices of before the first event are looked at; others are the kernel's own. */
const buses = ["pci", "virtio", "scsi", "nd", "acpi"];
const memoryBlock = /^\/devices\/system\/memory\/memory\d+$/;

/** `sysfs`: where it is mounted (default /sys). `load`: loads the modules for these names; a test may have its own. */
export type HotplugOptions = { log: Log; sysfs?: string; load?: (names: readonly string[]) => Promise<void> };

/** Follows the kernel's events from boot to shutdown. */
export class Hotplug {
  readonly #log: Log;
  readonly #sysfs: string;
  readonly #load: (names: readonly string[]) => Promise<void>;
  readonly #tried = new Set<string>();
  #waiting: string[] = [];
  #loading = false;

  constructor({ log, sysfs = "/sys", load = loadModules }: HotplugOptions) {
    this.#log = log;
    this.#sysfs = sysfs;
    this.#load = load;
  }

  /** Takes one event; undefined: some were lost, so what they told of is looked for. Returns at once. */
  take(event: Uevent | undefined): void {
    if (event === undefined) void this.coldPlug();
    else if (event.action !== "add") return;
    else if (event.subsystem === "memory" && memoryBlock.test(event.devpath)) this.#online(event.devpath);
    else this.#want(event.modalias);
  }

  /** Loads the modules for devices that were there before the first event. Never rejects. */
  async coldPlug(): Promise<void> {
    for (const bus of buses) {
      const folder = join(this.#sysfs, "bus", bus, "devices");
      for (const device of await readdir(folder).catch(() => [])) {
        const files = await readdir(join(folder, device)).catch(() => ["driver"]);
        if (files.includes("driver")) continue;
        this.#want((await readFile(join(folder, device, "modalias"), "utf8").catch(() => "")).trim());
      }
    }
  }

  #want(name: string): void {
    if (name === "" || name.length > maxNameLength || this.#tried.has(name)) return;
    if (this.#tried.size >= maxNames) return;
    this.#tried.add(name);
    this.#waiting.push(name);
    if (!this.#loading) void this.#loadWaiting();
  }

  async #loadWaiting(): Promise<void> {
    this.#loading = true;
    while (this.#waiting.length > 0) {
      const names = this.#waiting.slice(0, batch);
      this.#waiting = this.#waiting.slice(batch);
      const loaded = backgroundSpan("device modules", { "kata.count": names.length }, () =>
        this.#load(names),
      );
      await loaded.catch((error) => {
        const { message } = AgentError.from(error);
        this.#log.warn({ error: message, count: names.length }, "modules for new devices were not loaded");
      });
    }
    this.#loading = false;
  }

  /** A block that cannot be brought online stays for OnlineCPUMem, which tells. */
  #online(devpath: string): void {
    const file = join(this.#sysfs, devpath, "online");
    const online = backgroundSpan("memory online", {}, () => writeFile(file, "1", { flag: "r+" }));
    void online.catch((error) => {
      this.#log.debug({ error: AgentError.from(error).message }, "memory did not come online");
    });
  }
}

/** Quietly, since most devices need no module or one that the guest does not have: the status tells nothing. */
async function loadModules(names: readonly string[]): Promise<void> {
  await runTool("modprobe", ["-a", "-q", "-b", "--", ...names], limits);
}
