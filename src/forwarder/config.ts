import type { Address } from "../vsock/address.ts";
import type { BackendConfig } from "./backend-config.ts";
import type { GuestLogConfig } from "./guest-log-config.ts";
import type { Limits } from "./in/limits.ts";
import type { SandboxPattern } from "./in/sandbox-pattern.ts";
import type { SamplingConfig } from "./sampling.ts";

/** What the forwarder has been told to do: by flags, file and environment, resolved and frozen. */
export type Config = {
  readonly listen: readonly Address[];
  /** Sandboxes of the runtimes to listen for as they come and go. */
  readonly watch: readonly SandboxPattern[];
  readonly backends: readonly BackendConfig[];
  /** Where logs of the watched sandboxes are kept; undefined = nowhere. */
  readonly guestLogs: GuestLogConfig | undefined;
  readonly limits: Limits;
  readonly sampling: SamplingConfig | undefined;
  /** What is taken out of texts; with the flag `g`. */
  readonly scrub: readonly RegExp[];
  /** Where metrics and health are served; undefined = nowhere. */
  readonly admin: Address | undefined;
  /** Where to serve the page that shows traces, on loopback; undefined = nowhere. */
  readonly ui: Address | undefined;
  readonly logLevel: string;
  /** How long the end may take: requests under way, queues, files. */
  readonly drainMs: number;
};
