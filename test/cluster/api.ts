import { once } from "node:events";
import { readFileSync } from "node:fs";
import type { ClientRequest, IncomingMessage } from "node:http";
import { request } from "node:https";
import { createInterface } from "node:readline";

/** How a Kubernetes API server is reached. */
export type Address = {
  readonly port: number;
  readonly token: string;
  /** Its certificate, which it has made and signed itself. */
  readonly certificate: string;
};

/** An object as the API server gives it. */
export type Stored = {
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly uid?: string;
    readonly deletionTimestamp?: string;
    readonly labels?: Readonly<Record<string, string>>;
  };
  readonly spec?: unknown;
  readonly status?: unknown;
};

/** What the API server says about a kind while it is watched. */
export type Change<T> = { readonly type: "ADDED" | "MODIFIED" | "DELETED" | "BOOKMARK"; readonly object: T };

/** What a kubelet says to the API server; people and their tools use kubectl. */
export class Api {
  readonly #address: Address;

  constructor(address: Address) {
    this.#address = address;
  }

  /** @throws Error with the server's words unless it has done it, or has a reason that is `fine`. */
  async send(method: string, path: string, body?: object, fine: readonly number[] = []): Promise<string> {
    const type = method === "PATCH" ? "application/merge-patch+json" : "application/json";
    const text = body === undefined ? "" : JSON.stringify(body);
    // Node gives the length of a DELETE's body only when it is told to.
    const length = `${Buffer.byteLength(text)}`;
    const sent = this.#open(method, path, { "content-type": type, "content-length": length });
    sent.end(text);
    const [response] = (await once(sent, "response")) as [IncomingMessage];
    const said = (await response.toArray()).join("");
    const status = response.statusCode ?? 0;
    if (status >= 300 && !fine.includes(status)) throw new Error(`${method} ${path}: ${status} ${said}`);
    return said;
  }

  /** What is there and what changes, until the signal; then, and when the server ends it, the changes end. */
  async *watch<T>(path: string, signal: AbortSignal): AsyncGenerator<Change<T>> {
    const asked = this.#open("GET", `${path}?watch=true`);
    const stop = () => void asked.destroy();
    signal.addEventListener("abort", stop);
    try {
      asked.end();
      const [response] = (await once(asked, "response")) as [IncomingMessage];
      for await (const line of createInterface({ input: response })) yield JSON.parse(line) as Change<T>;
    } catch (error) {
      if (!signal.aborted) throw error;
    } finally {
      signal.removeEventListener("abort", stop);
      asked.destroy();
    }
  }

  #open(method: string, path: string, headers: Record<string, string> = {}): ClientRequest {
    const { port, token, certificate } = this.#address;
    const authorization = `Bearer ${token}`;
    const ca = readFileSync(certificate);
    return request({
      ...{ host: "127.0.0.1", port, path, method, ca },
      headers: { authorization, ...headers },
    });
  }
}
