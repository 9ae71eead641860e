import type { Route } from "./route.ts";

/**
 * Finds a route by the bytes of its names, as they stand in a request: making two strings per call only to look them
 * up would cost more than the rest of the way. The hash covers the method name; equal hashes are told apart by the
 * names themselves.
 */
export class RouteIndex {
  readonly #entries = new Map<number, Entry[]>();

  constructor(routes: Iterable<Route>) {
    const encoder = new TextEncoder();
    for (const route of routes) {
      const method = encoder.encode(route.method.name);
      const hash = hashOf(method, 0, method.length);
      const entry = { route, method, service: encoder.encode(route.method.service) };
      this.#entries.set(hash, [...(this.#entries.get(hash) ?? []), entry]);
    }
  }

  /** The route of the method whose service and name stand at these places of `bytes`. */
  find(bytes: Uint8Array, service: Place, method: Place): Route | undefined {
    const entries = this.#entries.get(hashOf(bytes, method.from, method.to));
    if (entries === undefined) return undefined;
    for (const entry of entries) {
      if (equal(entry.method, bytes, method) && equal(entry.service, bytes, service)) return entry.route;
    }
    return undefined;
  }
}

type Place = { readonly from: number; readonly to: number };
type Entry = { readonly route: Route; readonly service: Uint8Array; readonly method: Uint8Array };

/** FNV-1a, of at most the first 64 bytes: a peer must not make us hash megabytes. */
function hashOf(bytes: Uint8Array, from: number, to: number): number {
  let hash = 0x811c9dc5 | 0;
  const end = Math.min(to, from + 64);
  for (let i = from; i < end; i++) hash = Math.imul(hash ^ (bytes[i] as number), 0x01000193);
  return hash;
}

function equal(name: Uint8Array, bytes: Uint8Array, place: Place): boolean {
  if (place.to - place.from !== name.length) return false;
  for (let i = 0; i < name.length; i++) if (name[i] !== bytes[place.from + i]) return false;
  return true;
}
