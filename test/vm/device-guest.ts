import { mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";
import { bootGuest, type Guest } from "../../scripts/boot-guest.ts";
import type { Device, Storage } from "../../src/gen/agent.ts";
import type { Input } from "../../src/gen/message-type.ts";
import { AgentServiceMethods } from "../../src/gen/methods.ts";
import type { LinuxDevice, Mount } from "../../src/gen/oci.ts";
import { type Client, type ClientOf, clientOf } from "../../src/rpc/client.ts";
import { createTtrpcClient } from "../../src/rpc/ttrpc/client.ts";
import { parseAddress } from "../../src/vsock/address.ts";
import { dial } from "../../src/vsock/dial.ts";
import { specOf } from "../fakes/container-spec.ts";
import { Monitor } from "./monitor.ts";

/** What a container gets besides its script. */
export type More = {
  /** Default: that of the guest. */
  readonly root?: string;
  readonly devices?: Input<Device>[];
  readonly nodes?: Input<LinuxDevice>[];
  readonly storages?: Input<Storage>[];
  readonly mounts?: Input<Mount>[];
  readonly capabilities?: readonly string[];
  readonly env?: readonly string[];
};

/** A guest with sockets for hot-plugged devices, its agent's calls, and QEMU's monitor. */
export class DeviceGuest implements AsyncDisposable {
  /** For files that have to live as long as the guest. */
  readonly folder: string;
  readonly guest: Guest;
  readonly calls: ClientOf<typeof AgentServiceMethods>;
  readonly #client: Client;
  readonly #monitor: Monitor;

  constructor(folder: string, guest: Guest, client: Client, monitor: Monitor) {
    this.folder = folder;
    this.guest = guest;
    this.calls = clientOf(client, AgentServiceMethods);
    this.#client = client;
    this.#monitor = monitor;
  }

  /** Boots it; `ports` says behind which slots a PCI device can be plugged, `04` is `04/00` to the agent. */
  static async boot(
    ports: readonly string[],
    options: readonly string[] = [],
    append = "",
  ): Promise<DeviceGuest> {
    const folder = mkdtempSync("/tmp/kata-devices-");
    const qmp = join(folder, "qmp");
    const rootPorts = ports.flatMap((slot, index) => {
      return ["-device", `pcie-root-port,id=port${slot},addr=${slot},chassis=${index + 1},slot=${index + 1}`];
    });
    const guest = await bootGuest({
      // Emulation on a busy machine takes longer than a guest that a pod waits for.
      append: `agent.hotplug_timeout=60 ${append}`,
      options: [...rootPorts, ...options, "-qmp", `unix:${qmp},server=on,wait=off`],
    });
    await guest.listening();
    const client = createTtrpcClient(await dial(parseAddress(guest.address(1024)), { timeoutMs: 60_000 }));
    const monitor = new Monitor(qmp);
    await monitor.command("qmp_capabilities");
    return new DeviceGuest(folder, guest, client, monitor);
  }

  /** Makes an object of QEMU that a device can be plugged with, such as memory. */
  async add(object: Readonly<Record<string, unknown>>): Promise<void> {
    await this.#monitor.command("object-add", object);
  }

  /** Plugs in a disk whose contents are those of `file`. */
  async plugDisk(id: string, file: string, device: Readonly<Record<string, unknown>>): Promise<void> {
    const driver = { driver: "raw", "node-name": id, file: { driver: "file", filename: file } };
    await this.#monitor.command("blockdev-add", driver);
    await this.plug({ id: `d-${id}`, drive: id, ...device });
  }

  async plug(device: Readonly<Record<string, unknown>>): Promise<void> {
    await this.#monitor.command("device_add", device);
  }

  /** Creates and starts a container that runs a script of the shell. */
  async start(container_id: string, script: string, more: More = {}): Promise<void> {
    const env = ["PATH=/usr/bin:/bin", ...(more.env ?? [])];
    const plain = specOf(more.root ?? "/", { args: ["busybox", "sh", "-c", script], env });
    const capabilities = more.capabilities ?? ["CAP_MKNOD"];
    const sets = { Bounding: [...capabilities], Effective: [...capabilities], Permitted: [...capabilities] };
    await this.calls.CreateContainer({
      container_id,
      devices: more.devices ?? [],
      storages: more.storages ?? [],
      OCI: {
        ...plain,
        Mounts: [...(plain.Mounts ?? []), ...(more.mounts ?? [])],
        Process: { ...plain.Process, Capabilities: sets },
        Linux: { ...plain.Linux, Devices: more.nodes ?? [] },
      },
    });
    await this.calls.StartContainer({ container_id });
  }

  /** All that a container has said, once it has ended; it is removed. */
  async end(container_id: string): Promise<string> {
    const said = await Promise.all([this.#read(container_id, "Stdout"), this.#read(container_id, "Stderr")]);
    await this.calls.WaitProcess({ container_id });
    await this.calls.RemoveContainer({ container_id });
    return said.join("");
  }

  async run(container_id: string, script: string, more?: More): Promise<string> {
    await this.start(container_id, script, more);
    return this.end(container_id);
  }

  async #read(container_id: string, stream: "Stdout" | "Stderr"): Promise<string> {
    let text = "";
    for (;;) {
      const { data } = await this.calls[`Read${stream}`]({ container_id, len: 32 * 1024 });
      if (data.length === 0) return text;
      text += Buffer.from(data).toString("latin1");
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#monitor[Symbol.dispose]();
    await this.#client.close();
    await this.guest.kill();
    rmSync(this.folder, { recursive: true, force: true });
  }
}
