/**
 * The devices of containers (agent-api 4.4, 3.3.5, 5.6): finds what a request lists, and makes the document of the
 * container speak of this guest instead of the host. Addresses of passed-through devices are kept per container, since
 * every exec brings the host's again.
 */
import { AgentError } from "../base/agent-error.ts";
import { Code } from "../base/code.ts";
import type { ContainerId } from "../base/ids.ts";
import type { OciDeviceRule, OciSpec } from "../runtime/oci.ts";
import { span } from "../trace/span.ts";
import { type CdiOptions, injectCdi } from "./cdi.ts";
import type { Device, DeviceDriver, FoundDevice } from "./device.ts";
import { deviceRules } from "./device-rules.ts";
import { type PlacedNode, withGuestNodes } from "./device-spec.ts";
import { withInfiniband } from "./infiniband.ts";
import { type PciAddresses, pciEnvironment } from "./pci-environment.ts";

/** More than a guest has. */
const maxDevices = 1024;
/** A device of this type is the guest kernel's: the container gets no node for it. */
const withoutNode = "vfio-pci-gk";
const vfioTypes = ["vfio-pci", withoutNode, "vfio-ap", "vfio-ap-cold"];

/** Devices of all containers, for creates and execs. */
export class ContainerDevices {
  readonly #drivers: ReadonlyMap<string, DeviceDriver>;
  readonly #cdi: CdiOptions;
  readonly #addresses = new Map<ContainerId, PciAddresses>();

  constructor(drivers: ReadonlyMap<string, DeviceDriver>, cdi: CdiOptions) {
    this.#drivers = drivers;
    this.#cdi = cdi;
  }

  /** The types of devices that a request may name. */
  get types(): string[] {
    return [...this.#drivers.keys()];
  }

  /**
   * The document with the devices of a request and those of CDI in it, and with the whole list of rules for its control
   * group; `sent`: the rules that came with the request. {@link forget} undoes what is kept.
   * @throws INTERNAL for a device that is not as it should be, or does not come; the reason of `signal`.
   */
  async prepare(
    owner: ContainerId,
    spec: OciSpec,
    devices: readonly Device[],
    sent: readonly OciDeviceRule[],
    signal: AbortSignal,
  ): Promise<OciSpec> {
    const asSent = withRules(spec, sent);
    const located = devices.length === 0 ? asSent : await this.#located(owner, asSent, devices, signal);
    const injected = await injectCdi(located, this.#cdi, signal);
    return withRules(injected, deviceRules(injected, sent));
  }

  /** The environment of a process with this guest's PCI addresses in it. */
  environment(owner: ContainerId, env: readonly string[]): string[] {
    return pciEnvironment(env, this.#addresses.get(owner) ?? new Map());
  }

  /** Forgets a container. Safe to repeat. */
  forget(owner: ContainerId): void {
    this.#addresses.delete(owner);
  }

  #located(
    owner: ContainerId,
    spec: OciSpec,
    devices: readonly Device[],
    signal: AbortSignal,
  ): Promise<OciSpec> {
    return span("devices", { "kata.device.count": devices.length }, async () => {
      check(devices);
      const placed: PlacedNode[] = [];
      const addresses = new Map<string, string>();
      for (const device of devices) {
        const found = await this.#find(device, signal);
        for (const [host, guest] of found.addresses ?? []) addAddress(addresses, host, guest);
        if (found.node !== undefined) placed.push({ containerPath: device.containerPath, node: found.node });
      }
      this.#addresses.set(owner, addresses);
      const passedThrough = devices.some(({ type }) => vfioTypes.includes(type));
      const located = withGuestNodes(spec, placed);
      return this.#withEnvironment(owner, passedThrough ? await withInfiniband(located) : located);
    });
  }

  #find(device: Device, signal: AbortSignal): Promise<FoundDevice> {
    const driver = this.#drivers.get(device.type);
    if (driver === undefined) throw new AgentError(Code.internal, "no handler for the requested device type");
    return span("device", { "kata.device.type": device.type }, () => driver(device, signal));
  }

  #withEnvironment(owner: ContainerId, spec: OciSpec): OciSpec {
    const { process: init } = spec;
    if (init?.env === undefined) return spec;
    return { ...spec, process: { ...init, env: this.environment(owner, init.env) } };
  }
}

/** Before anything is waited for (agent-api 4.4). */
function check(devices: readonly Device[]): void {
  if (devices.length > maxDevices) throw new AgentError(Code.internal, "too many devices");
  const paths = new Set<string>();
  for (const { type, id, vmPath, containerPath } of devices) {
    if (type === "") throw new AgentError(Code.internal, "a device has no type");
    if (id === "" && vmPath === "") throw new AgentError(Code.internal, "a device has neither id nor path");
    if (containerPath === "") throw new AgentError(Code.internal, "a device has no path in the container");
    if (type === withoutNode) continue;
    if (paths.has(containerPath))
      throw new AgentError(Code.internal, "two devices have one path in the container");
    paths.add(containerPath);
  }
}

function addAddress(addresses: Map<string, string>, host: string, guest: string): void {
  const other = addresses.get(host);
  if (other !== undefined && other !== guest) {
    throw new AgentError(Code.internal, "one PCI device of the host is two of the guest");
  }
  addresses.set(host, guest);
}

function withRules(spec: OciSpec, rules: readonly OciDeviceRule[] | undefined): OciSpec {
  const { devices: _replaced, ...resources } = spec.linux?.resources ?? {};
  if (rules === undefined || rules.length === 0) return { ...spec, linux: { ...spec.linux, resources } };
  return { ...spec, linux: { ...spec.linux, resources: { ...resources, devices: [...rules] } } };
}
