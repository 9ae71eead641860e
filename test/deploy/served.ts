/** What a confined forwarder did for a VMM. */
export type Served = {
  /** Owner of the socket that it made for the VMM. */
  readonly uid: number;
  /** What the VMM's user got for its spans. */
  readonly status: number | undefined;
  readonly ended: number | null;
};
