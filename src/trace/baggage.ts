/** The W3C's own limit. */
const maxLength = 8192;
const form = /^[\x20-\x7e]+$/;

/**
 * The caller's baggage (W3C Baggage), to be carried on as it is and never recorded: several values are one list. Undefined
 * without any, and for what is too long or not printable.
 */
export function baggageIn(metadata: readonly (readonly [key: string, value: string])[]): string | undefined {
  const values = metadata.filter(([key, value]) => key === "baggage" && value !== "");
  const text = values.map(([, value]) => value).join(",");
  return text.length <= maxLength && form.test(text) ? text : undefined;
}
