import type { Batch } from "../export.ts";

/** Whose a record of the spool is, and which request it came as where the sender told. */
export type Label = { readonly origin: string; readonly batch: Batch | undefined };

/** Longer ones are cut. */
export const maxLabelBytes = 4096;

/** Number and instance of the request, both empty without one, and the origin, with zero bytes between. */
export function labelBytesOf({ origin, batch }: Label): Buffer {
  const label = Buffer.from(`${batch?.sequence ?? ""}\0${batch?.instance ?? ""}\0${origin}`);
  return label.subarray(0, maxLabelBytes);
}

/** Reads a label. */
export function labelFrom(bytes: Buffer): Label {
  const [sequence = "", instance = "", origin = ""] = bytes.toString().split("\0");
  return { origin, batch: sequence === "" ? undefined : { instance, sequence: Number(sequence) } };
}
