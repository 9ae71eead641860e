type Loose<T> = { [K in keyof T]: T[K] | undefined };

/** The object without the members that are `undefined`, since the OCI document tells absent from zero. */
export function present<T extends object>(members: Loose<T>): T {
  return Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined)) as T;
}

/** The text, or `undefined` for the empty one: on the wire both are the same (agent-api 3.3.3). */
export function text(value: string): string | undefined {
  return value === "" ? undefined : value;
}

/** The list, or `undefined` for the empty one. */
export function list<T>(values: T[]): T[] | undefined {
  return values.length === 0 ? undefined : values;
}

/** The number, or `undefined` for zero. Below zero all mean unlimited, which is −1 (agent-api 3.3.3). */
export function amount(value: bigint): bigint | undefined {
  if (value === 0n) return undefined;
  return value < 0n ? -1n : value;
}
