/**
 * Primer. What a guest does by itself when a device comes, as udev would: loads the module that drives it, and takes
 * new memory into use (agent-api 5.1). Only in a guest of ours: modules and memory have no namespace.
 *
 * Events come in floods (a boot, a thousand memory blocks), so module names wait in a set, each name once, and one
 * modprobe at a time loads all that wait. A name that was tried is not tried again: nothing new comes of it.
 *
 * The devices that a guest boots with are part of its boot, in a trace as well; what comes later is work of its own. The
 * boot is over once nothing has waited for a while: a module that was loaded brings devices, and they further events.
 */
import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { AgentError } from "../base/agent-error.ts";
import type { Log } from "../base/log.ts";
import { runTool } from "../sys/run-tool.ts";
import type { Uevent } from "../sys/uevent.ts";
import type { SpanAttributes } from "../trace/attributes.ts";
import { backgroundSpan, span } from "../trace/span.ts";

const limits = { timeoutMs: 30_000, maxOutputBytes: 64 * 1024 };
/** More kinds of devices than a guest has; a host that plugs more of them must not fill the memory with names. */
const maxNames = 1_000;
const maxNameLength = 1_000;
/** From the last work on to the end of the boot. */
const quietMs = 2_000;
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
  #idleSinceMs = Number.POSITIVE_INFINITY;
  #isBooted = false;

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
    else if (this.#note(event.modalias)) this.#loadWaiting();
  }

  /** Loads the modules for devices that were there before the first event. Never rejects. */
  async coldPlug(): Promise<void> {
    for (const bus of buses) {
      const folder = join(this.#sysfs, "bus", bus, "devices");
      for (const device of await readdir(folder).catch(() => [])) {
        const files = await readdir(join(folder, device)).catch(() => ["driver"]);
        if (files.includes("driver")) continue;
        this.#note((await readFile(join(folder, device, "modalias"), "utf8").catch(() => "")).trim());
      }
    }
    this.#loadWaiting();
  }

  /** Puts a name among those that wait; false when there is nothing to do for it. */
  #note(name: string): boolean {
    if (name === "" || name.length > maxNameLength || this.#tried.has(name)) return false;
    if (this.#tried.size >= maxNames) return false;
    this.#tried.add(name);
    this.#waiting.push(name);
    return true;
  }

  #loadWaiting(): void {
    if (!this.#loading) void this.#loadAll();
  }

  async #loadAll(): Promise<void> {
    this.#loading = true;
    while (this.#waiting.length > 0) {
      const names = this.#waiting.slice(0, batch);
      this.#waiting = this.#waiting.slice(batch);
      const loaded = this.#traced("device modules", { "kata.count": names.length }, () => this.#load(names));
      await loaded.catch((error) => {
        const { message } = AgentError.from(error);
        this.#log.warn({ error: message, count: names.length }, "modules for new devices were not loaded");
      });
    }
    this.#loading = false;
    this.#idleSinceMs = performance.now();
  }

  #traced(name: string, attributes: SpanAttributes, work: () => Promise<void>): Promise<void> {
    this.#isBooted ||= performance.now() - this.#idleSinceMs > quietMs;
    return (this.#isBooted ? backgroundSpan : span)(name, attributes, work);
  }

  /** A block that cannot be brought online stays for OnlineCPUMem, which tells. */
  #online(devpath: string): void {
    const file = join(this.#sysfs, devpath, "online");
    const online = this.#traced("memory online", {}, () => writeFile(file, "1", { flag: "r+" }));
    void online.catch((error) => {
      this.#log.debug({ error: AgentError.from(error).message }, "memory did not come online");
    });
  }
}

/** Quietly, since most devices need no module or one that the guest does not have: the status tells nothing. */
async function loadModules(names: readonly string[]): Promise<void> {
  await runTool("modprobe", ["-a", "-q", "-b", "--", ...names], limits);
}
