import type { Random } from "./random.ts";

/**
 * Spans as upstream's agents make them, and as they never would, at random; and how the agents write them (wire-and-tracing
 * 3.3, 3.5).
 */

type Value = { String: string } | { I64: bigint } | { F64: number } | { Bool: boolean } | { Array: object };
type Moment = { seconds: bigint; nanos: number };
type Context = { trace: bigint; span: bigint; flags: number; isRemote: boolean; state: [string, string][] };

/** A span of the tracing library, as far as it is written. */
export type UpstreamSpan = {
  context: Context;
  parent: bigint;
  kind: "Client" | "Server" | "Producer" | "Consumer" | "Internal";
  name: string;
  start: Moment;
  end: Moment;
  attributes: [string, Value][];
  dropped: number;
  events: { name: string; time: Moment; attributes: [string, Value][] }[];
  links: { context: Context; attributes: [string, Value][] }[];
  status: "Unset" | "Ok" | "Error";
  message: string;
  resource: [string, Value][] | undefined;
};

const kinds = ["Client", "Server", "Producer", "Consumer", "Internal"] as const;
const statuses = ["Unset", "Ok", "Error"] as const;
const keys = [
  "code.filepath",
  "code.namespace",
  "code.lineno",
  "thread.id",
  "thread.name",
  "mod",
  "busy_ns",
  "idle_ns",
  "req",
  "cid",
  "",
];
const names = [
  "pause_container",
  "create_container",
  "update_mounts",
  "do_create",
  "root-span",
  "x".repeat(200),
];
const namespaces = ["kata_agent::rpc", "kata_agent::rpc", "rustjail::container", "", "n".repeat(200)];
const requests = [
  'PauseContainerRequest { container_id: "c1", rest: "x" }',
  'Request { container_id: "a-very.long_id-0123456789", x: 1 }',
  'Request { container_id: "-c1" }',
  'Request { container_id: "c" }',
  `Request { container_id: "${"c".repeat(255)}" }`,
  `Request { container_id: "${"c".repeat(256)}" }`,
  `${"R".repeat(373)} { container_id: "c1234567" }`,
  `${"R".repeat(374)} { container_id: "c1234567" }`,
  ' { container_id: "c1" }',
  'Request { container_id: "c1',
  'Request { container_id: "c\\1" }',
  "Request\n",
  "Réquest { container_id",
  "",
];
const odd = ["", "plain", 'with "quotes" and \\', "line\nfeed \u0001", "Grüße €", "]}{[,:", "x".repeat(300)];

/** `oddness`: of 100 choices so many are what agents hardly ever do. */
export function randomSpan(random: Random, oddness: number): UpstreamSpan {
  const isOdd = () => random.below(100) < oddness;
  const text = () => (isOdd() ? random.pick(odd) : random.pick(["rpc.rs", "main", "tokio-rt-worker", "a b"]));
  const id = (bytes: number) => {
    const value = random.bytes(bytes).reduce((sum, byte) => (sum << 8n) | BigInt(byte), 0n);
    return isOdd() ? value & 0xffn : value;
  };
  const moment = (): Moment => ({
    seconds: isOdd()
      ? BigInt(random.pick([0, 1, 2 ** 32, 2 ** 34, 2 ** 37]))
      : 1_789_000_000n + BigInt(random.below(99)),
    nanos: random.below(1_000_000_000),
  });
  const value = (key: string): Value => {
    if (isOdd())
      return random.pick<() => Value>([
        () => ({ Bool: random.below(2) === 1 }),
        () => ({ F64: random.pick([0, -1.5, 1e300]) }),
        () => ({ I64: -BigInt(random.below(1_000_000)) }),
        () => ({ I64: random.pick([0n, 2n ** 53n - 1n, 2n ** 53n, 2n ** 63n - 1n, -(2n ** 63n)]) }),
        () => ({ Array: { I64: [1n, -2n, 2n ** 60n] } }),
        () => ({ Array: { String: ["a", text()] } }),
      ])();
    if (key === "code.namespace") return { String: random.pick(namespaces) };
    if (key === "req") return { String: random.pick(requests) };
    return key.startsWith("code.l") || key.endsWith("_ns") || key === "thread.id"
      ? { I64: BigInt(random.below(2_000_000_000)) * BigInt(1 + random.below(400_000)) }
      : { String: text() };
  };
  const attributes = (count: number): [string, Value][] =>
    Array.from({ length: count }, () => {
      const key = isOdd() ? random.pick(odd) : random.pick(keys);
      return [key, value(key)];
    });
  const context = (): Context => ({
    trace: id(16),
    span: id(8),
    flags: random.below(isOdd() ? 256 : 2),
    isRemote: isOdd(),
    state: isOdd() ? [["k", text()]] : [],
  });
  const some = (count: number) => (isOdd() ? 1 + random.below(count) : 0);
  return {
    context: context(),
    parent: random.below(4) === 0 ? 0n : id(8),
    kind: isOdd() ? random.pick(kinds) : "Internal",
    name: isOdd() ? text() : random.pick(names),
    start: moment(),
    end: moment(),
    attributes: attributes(random.below(isOdd() ? 150 : 12)),
    dropped: some(1000),
    events: Array.from({ length: some(3) }, () => ({
      name: text(),
      time: moment(),
      attributes: attributes(2),
    })),
    links: Array.from({ length: some(3) }, () => ({ context: context(), attributes: attributes(2) })),
    status: isOdd() ? random.pick(statuses) : "Unset",
    message: isOdd() ? text() : "",
    resource: isOdd() ? undefined : [["service.name", { String: isOdd() ? text() : "unknown_service" }]],
  };
}

/** JSON without white space, as serde_json writes it. */
export function jsonOf(span: UpstreamSpan): Buffer {
  const numbers: bigint[] = [];
  /** JSON.stringify knows no large integers: a text stands for each until the end. */
  const number = (value: bigint): string => `\u0000${numbers.push(value) - 1}\u0000`;
  const context = ({ trace, span: id, flags, isRemote, state }: Context) => ({
    trace_id: number(trace),
    span_id: number(id),
    trace_flags: flags,
    is_remote: isRemote,
    trace_state: state.length === 0 ? null : state,
  });
  const moment = ({ seconds, nanos }: Moment) => ({
    secs_since_epoch: number(seconds),
    nanos_since_epoch: nanos,
  });
  const pairs = (list: [string, Value][]) => list.map(([key, value]) => ({ key, value }));
  const queue = (items: object[]) => ({
    queue: items.length === 0 ? null : items,
    max_len: 128,
    dropped_count: 0,
  });
  // By hand: an object would lose keys that come twice, and reorder those that are numbers.
  const map = `\u0001${span.attributes.length}\u0001`;
  const text = JSON.stringify(
    {
      span_context: context(span.context),
      parent_span_id: number(span.parent),
      span_kind: span.kind,
      name: span.name,
      start_time: moment(span.start),
      end_time: moment(span.end),
      attributes: {
        map,
        evict_list: span.attributes.map(([key]) => key).reverse(),
        max_len: 128,
        dropped_count: span.dropped,
      },
      events: queue(
        span.events.map(({ name, time, attributes }) => ({
          name,
          timestamp: moment(time),
          attributes: pairs(attributes),
          dropped_attributes_count: 0,
        })),
      ),
      links: queue(
        span.links.map((link) => ({
          span_context: context(link.context),
          attributes: pairs(link.attributes),
          dropped_attributes_count: 0,
        })),
      ),
      status_code: span.status,
      status_message: span.message,
      resource: span.resource === undefined ? null : { attrs: Object.fromEntries(span.resource) },
    },
    (_key, value) => (typeof value === "bigint" ? number(value) : value),
  );
  const entries = span.attributes.map(
    ([key, value]) =>
      `${JSON.stringify(key)}:${JSON.stringify(value, (_key, each) => (typeof each === "bigint" ? number(each) : each))}`,
  );
  const whole = text.replace(JSON.stringify(map), () => `{${entries.join(",")}}`);
  return Buffer.from(
    whole.replace(/"\\u0000(\d+)\\u0000"/g, (_all, index) => String(numbers[Number(index)])),
  );
}

/** bincode 1.3, as its defaults are. */
export function bincodeOf(span: UpstreamSpan): Buffer {
  const parts: Uint8Array[] = [];
  const put = (bytes: Uint8Array) => void parts.push(bytes);
  const u8 = (value: number | boolean) => put(Uint8Array.of(Number(value)));
  const u32 = (value: number) => put(new Uint8Array(Uint32Array.of(value).buffer));
  const u64 = (value: number | bigint) => put(new Uint8Array(BigUint64Array.of(BigInt(value)).buffer));
  const text = (value: string) => {
    const bytes = Buffer.from(value);
    u64(bytes.length);
    put(bytes);
  };
  const list = <T>(items: readonly T[], write: (item: T) => void) => {
    u64(items.length);
    for (const item of items) write(item);
  };
  const scalar: Record<string, [number, (value: never) => void]> = {
    Bool: [0, u8],
    I64: [1, (value: bigint) => put(new Uint8Array(BigInt64Array.of(value).buffer))],
    F64: [2, (value: number) => put(new Uint8Array(Float64Array.of(value).buffer))],
    String: [3, text],
  };
  const value = (tagged: Value) => {
    const [[tag, inner] = ["", undefined]] = Object.entries(tagged);
    if (tag === "Array") {
      u32(4);
      const [[type, items] = ["", []]] = Object.entries(inner as Record<string, never[]>);
      const [number, write] = scalar[type] as (typeof scalar)[string];
      u32(number);
      list(items, write);
    } else {
      const [number, write] = scalar[tag] as (typeof scalar)[string];
      u32(number);
      write(inner as never);
    }
  };
  const attributes = (pairs: [string, Value][]) =>
    list(pairs, ([key, each]) => {
      text(key);
      value(each);
    });
  const context = ({ trace, span: id, flags, isRemote, state }: Context) => {
    u64(trace & 0xffff_ffff_ffff_ffffn);
    u64(trace >> 64n);
    u64(id);
    u8(flags);
    u8(isRemote);
    u8(state.length > 0);
    if (state.length > 0)
      list(state, ([key, each]) => {
        text(key);
        text(each);
      });
  };
  const moment = ({ seconds, nanos }: Moment) => {
    u64(seconds);
    u32(nanos);
  };
  const queue = <T>(items: readonly T[], write: (item: T) => void) => {
    u8(items.length > 0);
    if (items.length > 0) list(items, write);
    u32(128);
    u32(0);
  };
  context(span.context);
  u64(span.parent);
  u32(kinds.indexOf(span.kind));
  text(span.name);
  moment(span.start);
  moment(span.end);
  attributes(span.attributes);
  list(span.attributes.map(([key]) => key).reverse(), text);
  u32(128);
  u32(span.dropped);
  queue(span.events, (event) => {
    text(event.name);
    moment(event.time);
    attributes(event.attributes);
    u32(0);
  });
  queue(span.links, (link) => {
    context(link.context);
    attributes(link.attributes);
    u32(0);
  });
  u32(statuses.indexOf(span.status));
  text(span.message);
  u8(span.resource !== undefined);
  if (span.resource !== undefined) attributes(span.resource);
  return Buffer.concat(parts);
}
