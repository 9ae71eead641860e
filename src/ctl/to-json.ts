/**
 * A message as plain JSON values, after the rules of proto3 JSON with the field names of the schema: bytes are base64,
 * 64-bit integers are decimal strings, maps are objects, absent messages are left out.
 */
export function toJson(value: unknown): unknown {
  if (typeof value === "bigint") return value.toString();
  if (value instanceof Uint8Array) return Buffer.from(value).toString("base64");
  if (value instanceof Map) return toJson(Object.fromEntries(value));
  if (Array.isArray(value)) return value.map(toJson);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, field]) => field !== undefined)
      .map(([name, field]) => [name, toJson(field)]),
  );
}
