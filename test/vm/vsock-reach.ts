/**
 * Runs beside the agent of a guest, for vsock-peers.test.ts, and connects to the addresses named: whatever can make
 * sockets, such as a program in a container, can do the same. One line for each: what came of it.
 */
import { parseAddress } from "../../src/vsock/address.ts";
import { dial } from "../../src/vsock/dial.ts";

const limitMs = 60_000;

async function reach(address: string): Promise<string> {
  const stream = await dial(parseAddress(address), { timeoutMs: limitMs });
  const { promise, resolve } = Promise.withResolvers<string>();
  setTimeout(() => resolve("open"), limitMs).unref();
  stream.start(
    () => resolve("answered"),
    () => resolve("closed"),
  );
  const result = await promise;
  await stream.close();
  return result;
}

async function main(): Promise<void> {
  for (const address of process.argv.slice(2)) {
    const result = await reach(address).catch((error: NodeJS.ErrnoException) => `failed ${error.code}`);
    process.stdout.write(`${address} ${result}\n`);
  }
}

void main();
