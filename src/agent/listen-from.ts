import type { Log } from "../base/log.ts";
import type { Accepted } from "../vsock/accepted.ts";
import type { Address } from "../vsock/address.ts";
import { type Listener, listen } from "../vsock/listen.ts";

/** Who may come over VSOCK: the host alone, or whoever can reach the guest, its own containers included. */
export type VsockPeers = "host" | "any";

/** `VMADDR_CID_HOST`, as the peer of a connection is told. */
const host = "vsock:2:";

/**
 * Listens for those who may come. VSOCK has no namespaces: what runs in a container can connect to the ports of its own
 * guest, over the kernel's loopback (CID 1), and would drive the agent. Only VSOCK has such peers; whoever is let into
 * the folder of a unix socket may connect to it.
 * @throws what {@link listen} throws.
 */
export function listenFrom(
  peers: VsockPeers,
  address: Address,
  onAccept: (accepted: Accepted) => void,
  log: Log,
): Promise<Listener> {
  if (peers === "any") return listen(address, onAccept, log);
  return listen(address, guarded(onAccept, log), log);
}

/** Hands on what comes from the host, and closes what comes over VSOCK from anybody else. */
export function guarded(onAccept: (accepted: Accepted) => void, log: Log): (accepted: Accepted) => void {
  return (accepted) => {
    const { peer } = accepted;
    if (!peer.startsWith("vsock") || peer.startsWith(host)) return onAccept(accepted);
    accepted.close();
    log.debug({ peer }, "a connection that is not the host's was refused");
  };
}
