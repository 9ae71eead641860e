import { isSameBytes } from "../../wire/byte-range.ts";
import { namespaceKey, passingKeys, requestKey } from "./mend-span.ts";

/** What becomes of an attribute by its key, found by the key's bytes. */
export type KnownKey = {
  readonly bytes: Uint8Array;
  /** `passes`: under `today`. The other two say something about the span. */
  readonly duty: "passes" | "namespace" | "request";
  readonly today: Uint8Array;
};

const ascii = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text, "latin1"));
const places = 64;
const known: KnownKey[][] = Array.from({ length: places }, () => []);
for (const [key, today] of passingKeys) add(key, "passes", today);
add(namespaceKey, "namespace", "");
add(requestKey, "request", "");

/** The known key that stands there; undefined for any other. */
export function knownKey(bytes: Uint8Array, from: number, to: number): KnownKey | undefined {
  if (to === from) return undefined;
  const candidates = known[placeOf(to - from, bytes[from] as number, bytes[to - 1] as number)] as KnownKey[];
  for (let i = 0; i < candidates.length; i++) {
    const candidate = candidates[i] as KnownKey;
    if (isSameBytes(candidate.bytes, bytes, from, to)) return candidate;
  }
  return undefined;
}

function add(key: string, duty: KnownKey["duty"], today: string): void {
  const bytes = ascii(key);
  const place = placeOf(bytes.length, bytes[0] as number, bytes.at(-1) as number);
  known[place]?.push({ bytes, duty, today: ascii(today) });
}

function placeOf(length: number, first: number, last: number): number {
  return (length * 5 + first * 3 + last) & (places - 1);
}
