import { once } from "node:events";
import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { ExportTraceServiceRequest } from "../../src/gen/otlp.ts";
import { decodeMessage } from "../../src/wire/protobuf-decode.ts";

/** The backend behind the samplers: each sends to a path of its own, so it is known who has sent what. */
export class ScaleSink {
  /** How often each span came, by its id. */
  readonly spans = new Map<string, number>();
  /** Who has sent spans of a trace, by its id. */
  readonly samplers = new Map<string, Set<string>>();
  readonly #server = createServer((request, response) => {
    void this.#take(request).then(
      () => response.writeHead(200, { "content-type": "application/x-protobuf" }).end(),
      () => response.writeHead(400).end(),
    );
  });

  /** Listens on a port of the loopback; gives its URL. */
  async open(): Promise<string> {
    this.#server.listen(0, "127.0.0.1");
    await once(this.#server, "listening");
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async close(): Promise<void> {
    const closed = once(this.#server, "close");
    this.#server.close();
    this.#server.closeAllConnections();
    await closed;
  }

  async #take(request: IncomingMessage): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const [, sampler = ""] = (request.url ?? "").split("/");
    const { resource_spans } = decodeMessage(ExportTraceServiceRequest, Buffer.concat(chunks));
    for (const { scope_spans } of resource_spans)
      for (const { spans } of scope_spans) for (const span of spans) this.#note(span, sampler);
  }

  #note(span: { readonly trace_id: Uint8Array; readonly span_id: Uint8Array }, sampler: string): void {
    const [trace, id] = [hex(span.trace_id), hex(span.span_id)];
    this.spans.set(id, (this.spans.get(id) ?? 0) + 1);
    const seen = this.samplers.get(trace) ?? new Set();
    this.samplers.set(trace, seen.add(sampler));
  }
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("hex");
}
