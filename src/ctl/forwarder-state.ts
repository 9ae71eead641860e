import { abortable, deadline } from "../base/deadline.ts";
import type { Address } from "../vsock/address.ts";
import { dial } from "../vsock/dial.ts";
import { type HttpResponse, HttpResponseParser, requestHead } from "../wire/http1.ts";

/** What the admin address of a forwarder tells (docs/forwarder.md). Numbers by backend. */
export type ForwarderState = {
  readonly ready: boolean;
  readonly received: number;
  readonly sent: ReadonlyMap<string, number>;
  readonly dropped: ReadonlyMap<string, number>;
};

const limits = { maxHeadBytes: 16 * 1024, maxBodyBytes: 1024 * 1024 };

/** Asks a forwarder how it is. @throws Error when nobody answers there in time, or not as a forwarder would. */
export async function forwarderState(address: Address, timeoutMs: number): Promise<ForwarderState> {
  const ready = await get(address, "/readyz", timeoutMs);
  const metrics = await get(address, "/metrics", timeoutMs);
  const text = Buffer.from(metrics.body).toString();
  if (metrics.status !== 200 || !text.includes("kata_forwarder_"))
    throw new Error("no forwarder answers there");
  return {
    ready: ready.status === 200,
    received: sum(samples(text, "spans_received_total", "encoding")),
    sent: samples(text, "spans_sent_total", "backend", samples(text, "queue_spans", "backend")),
    dropped: samples(text, "spans_dropped_total", "backend"),
  };
}

async function get(address: Address, path: string, timeoutMs: number): Promise<HttpResponse> {
  const limit = deadline(timeoutMs);
  const stream = await dial(address, { timeoutMs });
  try {
    const { promise, resolve, reject } = Promise.withResolvers<HttpResponse>();
    const parser = new HttpResponseParser(limits);
    const told = (work: () => HttpResponse | undefined) => {
      try {
        const answer = work();
        if (answer !== undefined) resolve(answer);
      } catch (error) {
        reject(error);
      }
    };
    stream.start(
      (chunk) => told(() => parser.push(chunk)),
      (error) => {
        told(() => parser.end());
        reject(error ?? new Error("the connection was closed"));
      },
    );
    stream.write(requestHead("GET", path, { host: "localhost", connection: "close" }, 0));
    return await abortable(promise, limit.signal);
  } finally {
    limit.done();
    await stream.close();
  }
}

/** Values of one metric by one label, summed over the others; labels of `known` begin at 0. */
function samples(
  text: string,
  name: string,
  label: string,
  known: ReadonlyMap<string, number> = new Map(),
): Map<string, number> {
  const found = new Map([...known.keys()].map((key) => [key, 0]));
  for (const [, labels = "", value] of text.matchAll(
    new RegExp(`^kata_forwarder_${name}\\{([^}]*)\\} (\\S+)$`, "gm"),
  )) {
    const key = new RegExp(`${label}="([^"]*)"`).exec(labels)?.[1];
    if (key !== undefined) found.set(key, (found.get(key) ?? 0) + Number(value));
  }
  return found;
}

function sum(values: ReadonlyMap<string, number>): number {
  return [...values.values()].reduce((total, value) => total + value, 0);
}
