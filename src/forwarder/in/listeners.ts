import { lchownSync, lstatSync, statSync } from "node:fs";
import { dirname } from "node:path";
import type { Log } from "../../base/log.ts";
import type { Accepted } from "../../vsock/accepted.ts";
import { type Address, formatAddress } from "../../vsock/address.ts";
import { type Listener, listen } from "../../vsock/listen.ts";
import type { Origin } from "./origin.ts";
import { knownPatterns, sandboxOf } from "./sandbox-pattern.ts";

/** Where agents send to (wire-and-tracing 2.1). */
export const tracePort = 10240;

/** Takes over a connection. */
export type Accept = (accepted: Accepted, origin: Origin) => void;

/** Listens on an address that was configured. @throws the system error. */
export async function listenOn(address: Address, accept: Accept, log: Log): Promise<Listener> {
  if (address.kind === "hybrid") return listenForVmm(address.path, address.port, undefined, accept, log);
  return listen(address, (accepted) => accept(accepted, originOf(accepted, address)), log);
}

/**
 * Listens where the VMM with this socket connects to for `port` of the host. The socket gets the owner of its folder.
 * @throws the system error.
 */
export async function listenForVmm(
  path: string,
  port: number,
  sandboxId: string | undefined,
  accept: Accept,
  log: Log,
): Promise<Listener> {
  const sandbox = sandboxId ?? sandboxOf(path, knownPatterns);
  const origin: Origin = { key: `sandbox:${sandbox ?? path}`, isGuest: true, sandboxId: sandbox };
  const listener = await listen({ kind: "hybrid", path, port }, (accepted) => accept(accepted, origin), log);
  try {
    giveToOwner(path, port);
    return listener;
  } catch (error) {
    await listener.close();
    throw error;
  }
}

/**
 * Gives the socket for this VMM to whom the folder belongs: a VMM without privileges has to be able to connect. The runtime
 * makes the folder as root and hands it over then, so this is asked for again while the socket is there. Whoever has the
 * folder may have put a link in its place by then, to something that is not to be given away: it is not followed.
 * @throws the system error.
 */
export function giveToOwner(path: string, port: number): void {
  const socket = `${path}_${port}`;
  const { uid, gid } = statSync(dirname(path));
  const found = lstatSync(socket);
  if (found.isSocket() && found.uid !== uid) lchownSync(socket, uid, gid);
}

/** A VSOCK peer is one guest, by its context id; behind other addresses may be many. */
function originOf({ peer }: Accepted, address: Address): Origin {
  const [family, name = ""] = peer.split(":");
  if (family === "vsock")
    return { key: `vsock:${name}`, isGuest: true, sandboxId: undefined, cid: Number(name) };
  const key = address.kind === "tcp" ? peer.replace(/:\d+$/, "") : formatAddress(address);
  return { key, isGuest: false, sandboxId: undefined };
}
