import type { Log } from "../../base/log.ts";
import type { Encoding, Metrics } from "../metrics.ts";
import { Refusal } from "../refusal.ts";
import type { Announcements, Instance } from "./announcements.ts";
import type { Guest } from "./guest.ts";
import { type GuestWords, guestWords } from "./guest-words.ts";
import type { Intake } from "./intake.ts";

/** A connection over which requests come. The instances of our agent that have spoken on it. */
export type HttpConnection = {
  readonly guest: Guest;
  readonly instances: Set<Instance>;
  complained: boolean;
};

type Path = "spans" | "open-spans" | "goodbye";
/** What a request asks for, and what its body is. */
export type Wanted = { readonly path: Path; readonly encoding: Encoding };

/** A request's head, whoever has read it. */
export type RequestHead = {
  readonly method?: string | undefined;
  readonly url?: string | undefined;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
};

/** Does what requests ask for once their bodies are here, and keeps the order that our agent's have. */
export class HttpWork {
  readonly #intake: Intake;
  readonly #announcements: Announcements;
  readonly #metrics: Metrics;
  readonly #log: Log;

  constructor(intake: Intake, announcements: Announcements, metrics: Metrics, log: Log) {
    this.#intake = intake;
    this.#announcements = announcements;
    this.#metrics = metrics;
    this.#log = log;
  }

  /** Resolves when somebody answers for the request. @throws what the intake throws; Refusal 400. */
  perform(
    connection: HttpConnection,
    wanted: Wanted,
    headers: RequestHead["headers"],
    body: Uint8Array,
  ): Promise<void> {
    const { guest } = connection;
    const words = guestWords(headers);
    const instance = words && this.#announcements.instance(guest.origin.key, words);
    if (words === undefined || instance === undefined) return this.#plain(wanted, guest, body);
    return this.#spoken(connection, wanted, instance, words, body);
  }

  /** The connection is over. */
  left(connection: HttpConnection): void {
    for (const instance of connection.instances) this.#announcements.left(instance);
  }

  /** What to tell the sender of a request that was not done; said in the log once per connection. */
  refusalOf(connection: HttpConnection, encoding: Encoding, error: unknown): Refusal {
    // What the intake refused, it has counted.
    const refusal = error instanceof Refusal ? error : this.#intake.refusalOf(error, encoding, 0);
    const { status, message } = refusal;
    // A guest must not be able to fill the host's log.
    if (!connection.complained)
      this.#log.warn({ origin: connection.guest.origin.key, status, err: message }, "export refused");
    connection.complained = true;
    return refusal;
  }

  #plain({ path, encoding }: Wanted, guest: Guest, body: Uint8Array): Promise<void> {
    if (path !== "spans") throw new Refusal(400, "no kata-batch");
    return this.#intake.take(guest, encoding, body);
  }

  async #spoken(
    connection: HttpConnection,
    wanted: Wanted,
    instance: Instance,
    words: GuestWords,
    body: Uint8Array,
  ): Promise<void> {
    if (!connection.instances.has(instance)) {
      connection.instances.add(instance);
      this.#announcements.joined(instance);
    }
    await this.#inOrder(instance, words.sequence, async () => {
      await this.#said(wanted, connection.guest, instance, words, body);
      instance.openSpans?.forget(words.ended);
    });
  }

  async #said(
    { path, encoding }: Wanted,
    guest: Guest,
    instance: Instance,
    words: GuestWords,
    body: Uint8Array,
  ): Promise<void> {
    if (path === "spans") await this.#intake.take(guest, encoding, body, words);
    else if (path === "open-spans") this.#announcements.announce(instance, body, guest);
    else await this.#announcements.goodbye(instance);
  }

  /** One request of an instance after the other; one that was taken before is dropped. */
  async #inOrder(instance: Instance, sequence: number, work: () => Promise<void>): Promise<void> {
    while (instance.busy !== undefined) await instance.busy.catch(() => {});
    if (sequence <= instance.taken) return this.#metrics.repeated();
    const running = work();
    instance.busy = running;
    try {
      await running;
      instance.taken = sequence;
    } finally {
      instance.busy = undefined;
    }
  }
}

const paths: Readonly<Record<string, Path>> = {
  "/v1/traces": "spans",
  "/v1/kata/open-spans": "open-spans",
  "/v1/kata/goodbye": "goodbye",
};
const jaegerPath = "/api/traces";
const thriftTypes = new Set(["application/x-thrift", "application/vnd.apache.thrift.binary"]);

/** What a head asks for. @throws Refusal 404, 405, 415. */
export function wantedOf({ url = "", method, headers }: RequestHead): Wanted {
  const [place = ""] = url.split("?", 1);
  const path = place === jaegerPath ? "spans" : Object.hasOwn(paths, place) ? paths[place] : undefined;
  if (path === undefined) throw new Refusal(404, "only /v1/traces and /api/traces are here");
  if (method !== "POST") throw new Refusal(405, "only POST is understood");
  const type =
    String(headers["content-type"] ?? "")
      .split(";", 1)[0]
      ?.trim()
      .toLowerCase() ?? "";
  if (place === jaegerPath) {
    if (thriftTypes.has(type)) return { path, encoding: "jaeger" };
    throw new Refusal(415, "content type is not application/x-thrift");
  }
  if (path === "goodbye" || type === "application/x-protobuf") return { path, encoding: "otlp-http" };
  if (type === "application/json" && path === "spans") return { path, encoding: "otlp-json" };
  throw new Refusal(415, "content type is neither application/x-protobuf nor application/json");
}
