import type { Test } from "tap";
import type { ByteStream } from "../../src/base/byte-stream.ts";
import { silentLog } from "../../src/base/log.ts";
import type { Accepted } from "../../src/vsock/accepted.ts";
import type { Address } from "../../src/vsock/address.ts";
import { dial } from "../../src/vsock/dial.ts";
import { listen } from "../../src/vsock/listen.ts";

/** Both ends of a real connection; what is left of it is closed at the end of the test. */
export async function connectedPair(t: Test, address: Address): Promise<{ near: ByteStream; far: Accepted }> {
  const { promise, resolve } = Promise.withResolvers<Accepted>();
  const listener = await listen(address, resolve, silentLog);
  const near = await dial(listener.address, { timeoutMs: 60_000 });
  const far = await promise;
  await listener.close();
  t.teardown(async () => {
    await near.close();
    far.close();
  });
  return { near, far };
}

/** What arrives at one end: the bytes so far and a promise of its end. */
export type Inbox = { bytes(): Buffer; ended: Promise<Error | undefined>; ends(): number };

/** Starts a stream and keeps what it delivers. */
export function collect(stream: ByteStream): Inbox {
  const parts: Buffer[] = [];
  const { promise, resolve } = Promise.withResolvers<Error | undefined>();
  let ends = 0;
  stream.start(
    (chunk) => parts.push(Buffer.from(chunk)),
    (error) => {
      ends++;
      resolve(error);
    },
  );
  return { bytes: () => Buffer.concat(parts), ended: promise, ends: () => ends };
}
