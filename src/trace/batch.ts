/**
 * One encoded batch that waits for the receiver. `offsetMs`: the clock's setting when it was encoded; `ended`: ids of
 * the announced spans in it.
 */
export type Batch = { bytes: Uint8Array; spans: number; offsetMs: number; ended: readonly string[] };
