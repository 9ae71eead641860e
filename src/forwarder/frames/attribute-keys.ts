import { ByteKeys } from "../../wire/byte-keys.ts";
import { namespaceKey, passingKeys, requestKey } from "./mend-span.ts";

/** What becomes of an attribute by its key, found by the key's bytes. */
export type KnownKey = {
  /** `passes`: under `today`. The other two say something about the span. */
  readonly duty: "passes" | "namespace" | "request";
  readonly today: Uint8Array;
};

const known = (duty: KnownKey["duty"], today: string): KnownKey => ({
  duty,
  today: Uint8Array.from(Buffer.from(today)),
});

/** The keys that somebody looks at. */
export const knownKeys = new ByteKeys<KnownKey>([
  ...[...passingKeys].map(([key, today]) => [key, known("passes", today)] as const),
  [namespaceKey, known("namespace", "")],
  [requestKey, known("request", "")],
]);
