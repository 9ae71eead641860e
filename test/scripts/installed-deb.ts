/** What was seen of a package that was installed and removed. Paths are below the clean root. */
export type Seen = {
  /** The unit would start with the system. */
  readonly enabled: boolean;
  readonly version: string;
  /** What `dpkg --verify` complains about. */
  readonly verified: string;
  readonly health: string;
  /** Status of a span that was sent to the forwarder. */
  readonly taken: number;
  /** What agentctl drew of it. */
  readonly tree: string;
  /** Exit status of the forwarder after SIGTERM. */
  readonly ended: number | null;
  readonly afterRemove: readonly string[];
  readonly afterPurge: readonly string[];
};
