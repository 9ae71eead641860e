import {
  createServer,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from "node:http";
import { fileURLToPath } from "node:url";
import protobuf from "protobufjs";

/**
 * A small OTLP receiver: a real HTTP server, and the protos read by a library that shares no code with the encoder
 * under test.
 */

const protos = fileURLToPath(new URL("../../protos/", import.meta.url));
const root = new protobuf.Root();
root.resolvePath = (_origin, target) => protos + target;
root.loadSync("opentelemetry/proto/collector/trace/v1/trace_service.proto", { keepCase: false });
const requestType = root.lookupType("opentelemetry.proto.collector.trace.v1.ExportTraceServiceRequest");

/** A value of OTLP, as protobufjs gives it. */
export type AnyValue = {
  stringValue?: string;
  intValue?: string;
  doubleValue?: number;
  boolValue?: boolean;
  arrayValue?: { values: AnyValue[] };
};
/** An attribute of OTLP. */
export type KeyValue = { key: string; value: AnyValue };
/** An event of OTLP. */
export type OtlpEvent = { name: string; timeUnixNano: string; attributes?: KeyValue[] };
/** A link of OTLP. */
export type OtlpLink = { traceId: string; spanId: string; traceState?: string; flags: number };
/** A span of OTLP; what is absent was not sent. */
export type OtlpSpan = {
  traceId: string;
  spanId: string;
  parentSpanId?: string;
  traceState?: string;
  name: string;
  kind: number;
  startTimeUnixNano: string;
  endTimeUnixNano: string;
  attributes?: KeyValue[];
  events?: OtlpEvent[];
  links?: OtlpLink[];
  status?: { code?: number; message?: string };
  flags: number;
  droppedAttributesCount?: number;
  droppedEventsCount?: number;
};
/** An ExportTraceServiceRequest. */
export type OtlpRequest = {
  resourceSpans: {
    resource: { attributes: KeyValue[] };
    scopeSpans: { scope: { name: string; version?: string }; spans: OtlpSpan[] }[];
  }[];
};

/** Decodes a request; ids come out as hex, 64-bit numbers as decimal text. */
export function decodeRequest(bytes: Uint8Array): OtlpRequest {
  const object = requestType.toObject(requestType.decode(bytes), {
    longs: String,
    bytes: Buffer,
  }) as OtlpRequest;
  for (const span of spansOf(object)) {
    hexIds(span);
    for (const link of span.links ?? []) hexIds(link);
  }
  return object;
}

function hexIds(holder: { traceId: string; spanId: string; parentSpanId?: string }): void {
  for (const key of ["traceId", "spanId", "parentSpanId"] as const)
    if (holder[key] !== undefined)
      holder[key] = Buffer.from(holder[key] as unknown as Uint8Array).toString("hex");
}

/** All spans of a request, in order. */
export function spansOf(request: OtlpRequest): OtlpSpan[] {
  return (request.resourceSpans ?? []).flatMap((resource) =>
    resource.scopeSpans.flatMap((scope) => scope.spans),
  );
}

/** Attributes as a plain object: text, numbers, booleans. */
export function attributesOf(holder: { attributes?: KeyValue[] }): Record<string, unknown> {
  return Object.fromEntries((holder.attributes ?? []).map(({ key, value }) => [key, plain(value)]));
}

function plain(value: AnyValue): unknown {
  if (value.intValue !== undefined) return Number(value.intValue);
  return value.stringValue ?? value.doubleValue ?? value.boolValue ?? value.arrayValue?.values.map(plain);
}

type Answer = (request: IncomingMessage, response: ServerResponse, body: Buffer) => void;

/** The forwarder's own words (docs/protocol.md); an ordinary collector does not know them. */
export type KataPost = { path: string; headers: IncomingHttpHeaders; body: Buffer };

const ok: Answer = (_request, response) => {
  response.setHeader("content-type", "application/x-protobuf").end();
};

/** The receiver. `answer` may be changed at any time; what it is given has been taken down before. */
export class Collector {
  readonly bodies: Buffer[] = [];
  /** Head of each of {@link bodies}, in the same order. */
  readonly headers: IncomingHttpHeaders[] = [];
  /** The numbers of all requests of our agent, in the order of arrival. */
  readonly numbers: number[] = [];
  /** What came to the paths that only the forwarder knows. */
  readonly kata: KataPost[] = [];
  /** Whether it knows these paths, as the forwarder does, instead of answering 404. */
  speaksKata = false;
  connections = 0;
  answer: Answer = ok;
  readonly #server: Server;
  readonly #watchers = new Set<() => void>();

  constructor() {
    this.#server = createServer((request, response) => this.#onRequest(request, response));
    this.#server.keepAliveTimeout = 0;
    this.#server.on("connection", () => {
      this.connections++;
    });
  }

  /** Listens on a Unix socket path, or on a port of 127.0.0.1 (0 = any; the result tells which). */
  async listen(where: string | number): Promise<number> {
    await new Promise<void>((resolve, reject) => {
      this.#server.once("error", reject);
      if (typeof where === "string") this.#server.listen(where, resolve);
      else this.#server.listen(where, "127.0.0.1", resolve);
    });
    const address = this.#server.address();
    return typeof address === "object" && address !== null ? address.port : 0;
  }

  get spans(): OtlpSpan[] {
    return this.bodies.flatMap((body) => spansOf(decodeRequest(body)));
  }

  /** Resolves when `condition` holds, looked at after every request. */
  async until(condition: () => boolean): Promise<void> {
    while (!condition()) {
      const { promise, resolve } = Promise.withResolvers<void>();
      this.#watchers.add(resolve);
      await promise;
      this.#watchers.delete(resolve);
    }
  }

  /** Cuts all connections and stops listening. */
  async close(): Promise<void> {
    const closed = new Promise((resolve) => this.#server.close(resolve));
    this.#server.closeAllConnections();
    await closed;
  }

  #take(request: IncomingMessage, response: ServerResponse, body: Buffer): void {
    const { headers, url: path = "" } = request;
    const number = /-(\d+)$/.exec(String(headers["kata-batch"]))?.[1];
    if (number !== undefined) this.numbers.push(Number(number));
    if (this.speaksKata) response.setHeader("kata-clock", `${Date.now()}000000`);
    if (path === "/v1/traces") {
      this.bodies.push(body);
      this.headers.push(headers);
      this.answer(request, response, body);
      return;
    }
    this.kata.push({ path, headers, body });
    response.writeHead(this.speaksKata ? 200 : 404).end();
  }

  #onRequest(request: IncomingMessage, response: ServerResponse): void {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      const body = Buffer.concat(chunks);
      this.#take(request, response, body);
      for (const watcher of this.#watchers) watcher();
    });
  }
}
