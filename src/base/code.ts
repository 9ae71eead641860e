/**
 * Status codes as they stand on the wire, in ttRPC and gRPC alike.
 * Source: the gRPC status code list; `google.rpc.Code`.
 */
export const Code = {
  ok: 0,
  cancelled: 1,
  unknown: 2,
  invalidArgument: 3,
  deadlineExceeded: 4,
  notFound: 5,
  alreadyExists: 6,
  permissionDenied: 7,
  resourceExhausted: 8,
  failedPrecondition: 9,
  aborted: 10,
  outOfRange: 11,
  unimplemented: 12,
  internal: 13,
  unavailable: 14,
  dataLoss: 15,
  unauthenticated: 16,
} as const;

/** One of the numbers of {@link Code}. */
export type Code = (typeof Code)[keyof typeof Code];

const names: ReadonlyMap<number, string> = new Map(
  Object.entries(Code).map(([name, code]) => [code, name.replace(/[A-Z]/g, (c) => `_${c}`).toUpperCase()]),
);

/** The standard spelling of a code, such as `NOT_FOUND`; `CODE_99` for a number outside the list. */
export function codeName(code: number): string {
  return names.get(code) ?? `CODE_${code}`;
}
