import type { Descriptor } from "../sys/descriptor.ts";

const lineFeed = 10;
/** Longer than any `OK <number>`; what goes on without a line feed is another protocol. */
const maxLineBytes = 64;

function refused(code: string, text: string): Error {
  return Object.assign(new Error(`${code}: ${text}`), { code, syscall: "connect" });
}

async function readByte(
  socket: Descriptor,
  into: Uint8Array,
  at: number,
  signal: AbortSignal,
): Promise<void> {
  for (;;) {
    const got = socket.read(into, at, 1);
    if (got === 1) return;
    if (got === 0) throw refused("ECONNREFUSED", "nobody listens on the guest's port");
    await socket.readable(signal);
  }
}

/**
 * Asks a VMM for a port of its guest (wire-and-tracing 2.2). The line goes out in one write, and the answer is read
 * byte by byte: what follows its line feed belongs to the guest.
 * @throws ECONNREFUSED when the VMM closes without an answer (nobody listens yet), EPROTO for another answer, the
 *   reason of the signal.
 */
export async function hybridHandshake(socket: Descriptor, port: number, signal: AbortSignal): Promise<void> {
  socket.write([Buffer.from(`CONNECT ${port}\n`)]);
  const line = new Uint8Array(maxLineBytes);
  for (let length = 0; length < maxLineBytes; length++) {
    await readByte(socket, line, length, signal);
    if (line[length] !== lineFeed) continue;
    if (Buffer.from(line.subarray(0, length)).toString("latin1").includes("OK")) return;
    break;
  }
  throw refused("EPROTO", "unexpected answer of the VMM");
}
