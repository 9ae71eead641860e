/** Who is at the other end of a connection, as far as the host itself knows it. */
export type Origin = {
  /** Tells senders apart: `sandbox:<id>`, `vsock:<cid>`, `unix:<path>`, `tcp:<host>`. */
  readonly key: string;
  /** A single guest, which has quotas of its own; otherwise a door that many may come through. */
  readonly isGuest: boolean;
  /** From the path of the VMM's socket. */
  readonly sandboxId: string | undefined;
  /** Of a peer over AF_VSOCK. */
  readonly cid?: number;
};
