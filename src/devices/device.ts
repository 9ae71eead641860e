/** A device that a request wants in a container, as it came (agent-api 4.4). */
export type Device = {
  id: string;
  type: string;
  vmPath: string;
  containerPath: string;
  options: readonly string[];
};

/** A node of this guest. `path`: its new place in the container, when that is not where the request wants it. */
export type GuestNode = { type: "b" | "c"; major: number; minor: number; path?: string };

/** What a driver has found: a node, or nothing but addresses; the latter as pairs of the host's and this guest's. */
export type FoundDevice = {
  node?: GuestNode;
  addresses?: readonly (readonly [host: string, guest: string])[];
};

/** Finds one device and makes it ready, or waits for it. @throws INTERNAL; the reason of `signal`. */
export type DeviceDriver = (device: Device, signal: AbortSignal) => Promise<FoundDevice>;
