/** Bytes that are not what their format says. The text is fit for a peer. */
export class WireError extends Error {
  override readonly name = "WireError";
}
