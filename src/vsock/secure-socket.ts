import type { Socket } from "node:net";

/** TLS of a client, as PEM texts. */
export type TlsOptions = {
  /** Who may have signed the server's certificate; the system's own list without it. */
  readonly ca?: string | undefined;
  /** Our own certificate and its key, where the server asks for one. */
  readonly cert?: string | undefined;
  readonly key?: string | undefined;
};

/**
 * Speaks TLS over a connected socket, as a client; the server has to be `host`.
 * @throws the error of the handshake, such as DEPTH_ZERO_SELF_SIGNED_CERT.
 */
export async function secureSocket(socket: Socket, host: string, options: TlsOptions): Promise<Socket> {
  // Not imported above: most programs never speak TLS.
  const tls = process.getBuiltinModule("node:tls");
  const net = process.getBuiltinModule("node:net");
  // A name for the server to choose its certificate by must not be an address.
  const servername = net.isIP(host) === 0 ? host : "";
  const secure = tls.connect({ ...options, socket, host, servername });
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  secure.once("secureConnect", resolve).once("error", reject);
  try {
    await promise;
    return secure;
  } catch (error) {
    socket.destroy();
    throw error;
  } finally {
    secure.off("error", reject);
  }
}
