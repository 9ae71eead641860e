/** Whether and how logs of guests are kept; the flag says only where. */
export type GuestLogConfig = {
  readonly folder: string;
  /** VSOCK port of the guests where the agent hands its log out (`agent.log_vport`). */
  readonly port: number;
  /** Of one guest's file; then it is set aside as `.1`. */
  readonly maxBytes: number;
  /** Files of one guest that were set aside and are kept. */
  readonly keep: number;
  /** Sandboxes whose logs are kept, those that are gone included. */
  readonly keepGuests: number;
  /** Guests with AF_VSOCK that are asked for their log before they have sent a span. */
  readonly cids: readonly number[];
};

const mebibyte = 1024 * 1024;

/** What holds where nobody says otherwise, in this folder: 256 MiB at most, of a node that is not full. */
export function guestLogDefaults(folder: string): GuestLogConfig {
  return { folder, port: 1025, maxBytes: mebibyte, keep: 1, keepGuests: 128, cids: [] };
}
