import { Agent, request } from "node:http";
import { join } from "node:path";
import t, { type Test } from "tap";
import { silentLog } from "../../../src/base/log.ts";
import type { Export } from "../../../src/forwarder/export.ts";
import { Announcements, hostNanos } from "../../../src/forwarder/in/announcements.ts";
import { Guests } from "../../../src/forwarder/in/guests.ts";
import { defaultLimits } from "../../../src/forwarder/in/limits.ts";
import { Receiver } from "../../../src/forwarder/in/receiver.ts";
import { Metrics } from "../../../src/forwarder/metrics.ts";
import { ExportTraceServiceRequest } from "../../../src/gen/otlp.ts";
import { listen } from "../../../src/vsock/listen.ts";
import { encodeMessage } from "../../../src/wire/protobuf-encode.ts";
import { attributesOf, decodeRequest, type OtlpSpan, spansOf } from "../../fakes/collector.ts";
import { until } from "../../fakes/until.ts";
import { exportOf, temporaryFolder } from "../running.ts";

const second = 1_000_000_000n;
const startNanos = 1_789_000_000n * second;

type Guest = {
  send(path: string, body: Uint8Array, headers: Record<string, string>): Promise<number | undefined>;
  hangUp(): void;
};

class Host {
  readonly exports: Export[] = [];
  readonly metrics = new Metrics();
  full = false;
  #wake = Promise.withResolvers<void>();
  path = "";

  async start(t: Test, graceMs: number): Promise<void> {
    const deliver = async (exported: Export) => {
      if (this.full) throw new Error("full");
      this.exports.push(exported);
      this.#wake.resolve();
      this.#wake = Promise.withResolvers();
    };
    const announcements = new Announcements(deliver, this.metrics, silentLog, graceMs);
    const receiver = new Receiver(deliver, announcements, defaultLimits, this.metrics, silentLog);
    const address = { kind: "unix", path: join(temporaryFolder(t), "s") } as const;
    const origin = { key: "sandbox:1", isGuest: true, sandboxId: "1" };
    const listener = await listen(address, (accepted) => receiver.accept(accepted, origin), silentLog);
    this.path = address.path;
    t.teardown(async () => {
      await listener.close();
      await receiver.close(0);
      await announcements.close();
    });
  }

  get spans(): OtlpSpan[] {
    return this.exports.flatMap(({ body }) => spansOf(decodeRequest(body)));
  }

  async until(condition: () => boolean): Promise<void> {
    while (!condition()) await this.#wake.promise;
  }

  guest(): Guest {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    return {
      hangUp: () => agent.destroy(),
      send: (path, body, headers) =>
        new Promise((resolve, reject) => {
          const all = { "content-type": "application/x-protobuf", ...headers };
          request({ socketPath: this.path, agent, method: "POST", path, headers: all }, (answer) => {
            answer.resume().on("end", () => resolve(answer.statusCode));
          })
            .on("error", reject)
            .end(body);
        }),
    };
  }
}

function spanBody(name: string, id: number, endNanos = 0n): Uint8Array {
  const span = {
    trace_id: new Uint8Array(16).fill(7),
    span_id: new Uint8Array(8).fill(id),
    name,
    start_time_unix_nano: startNanos,
    end_time_unix_nano: endNanos,
    events: [{ name: "late", time_unix_nano: startNanos + 5n }],
  };
  const resource = { attributes: [{ key: "service.name", value: { string_value: "kata-agent" } }] };
  return encodeMessage(ExportTraceServiceRequest, {
    resource_spans: [{ resource, scope_spans: [{ scope: { name: "s" }, spans: [span] }] }],
  });
}

const idText = (id: number) => Buffer.alloc(8, id).toString("hex");
const open = "/v1/kata/open-spans";
const batch = (n: number) => ({ "kata-batch": `inst-1-${n}` });

t.test(
  "open spans of a guest that is lost are closed: ERROR, kata.incomplete, the guest's time",
  async (t) => {
    const host = new Host();
    await host.start(t, 20);
    const guest = host.guest();
    const hourBehind = { "kata-clock": String(hostNanos() - 3600n * second) };
    t.equal(await guest.send(open, spanBody("pod", 1), { ...batch(1), ...hourBehind }), 200);
    t.equal(await guest.send(open, spanBody("other", 2), batch(2)), 200);
    t.same(host.spans, [], "nothing goes on while the guest is there");
    guest.hangUp();
    await host.until(() => host.spans.length === 2);
    const [pod] = host.spans as [OtlpSpan];
    t.match(pod, { name: "pod", status: { code: 2 }, startTimeUnixNano: String(startNanos) });
    t.equal(attributesOf(pod)["kata.incomplete"], true);
    const end = BigInt(pod.endTimeUnixNano);
    const due = hostNanos() - 3600n * second;
    t.ok(end <= due && end > due - 60n * second, "ended an hour ago, by its own clock");
    t.match(await host.metrics.text(), /open_spans_closed_total 2/);
  },
);

t.test("the final form wins, and what is closed is closed once", async (t) => {
  const host = new Host();
  await host.start(t, 20);
  const guest = host.guest();
  await guest.send(open, spanBody("one", 1), batch(1));
  await guest.send(open, spanBody("two", 2), batch(2));
  const ended = { ...batch(3), "kata-ended": idText(1) };
  t.equal(await guest.send("/v1/traces", spanBody("one", 1, startNanos + second), ended), 200);
  t.equal(await guest.send("/v1/kata/goodbye", new Uint8Array(0), batch(4)), 200);
  t.same(
    host.spans.map(({ name, status }) => [name, status?.code]),
    [
      ["one", undefined],
      ["two", 2],
    ],
  );
  guest.hangUp();
  const late = host.guest();
  t.equal(await late.send("/v1/traces", spanBody("two", 2, startNanos + second), batch(5)), 200);
  t.equal(host.spans.at(-1)?.status, undefined, "a late final goes on");
  t.equal(host.spans.length, 3);
  late.hangUp();
});

t.test("a guest that comes back within the grace is not lost", async (t) => {
  const host = new Host();
  await host.start(t, 60_000);
  const guest = host.guest();
  await guest.send(open, spanBody("pod", 1), batch(1));
  guest.hangUp();
  const again = host.guest();
  const ended = { ...batch(2), "kata-ended": idText(1) };
  t.equal(await again.send("/v1/traces", spanBody("pod", 1, startNanos + second), ended), 200);
  await again.send("/v1/kata/goodbye", new Uint8Array(0), batch(3));
  t.same(
    host.spans.map(({ name }) => name),
    ["pod"],
  );
  again.hangUp();
});

t.test("a request that was taken is dropped when it comes again, one that was refused is not", async (t) => {
  const host = new Host();
  await host.start(t, 20);
  const guest = host.guest();
  host.full = true;
  t.equal(await guest.send("/v1/traces", spanBody("a", 1, startNanos), batch(1)), 503);
  host.full = false;
  t.equal(await guest.send("/v1/traces", spanBody("a", 1, startNanos), batch(1)), 200);
  t.equal(await guest.send("/v1/traces", spanBody("a", 1, startNanos), batch(1)), 200);
  t.equal(host.spans.length, 1);
  t.equal(await guest.send("/v1/traces", spanBody("b", 2, startNanos), { "kata-batch": "inst-2-1" }), 200);
  t.equal(host.spans.length, 2, "another instance counts for itself");
  t.match(await host.metrics.text(), /repeats_dropped_total 1/);
  guest.hangUp();
});

t.test("an agent that starts anew again and again is heard each time", async (t) => {
  const host = new Host();
  await host.start(t, 20);
  for (let i = 0; i < 100; i++) {
    const guest = host.guest();
    t.equal(await guest.send("/v1/kata/goodbye", new Uint8Array(0), { "kata-batch": `inst-${i}-1` }), 200);
    guest.hangUp();
  }
});

t.test("announcements have an end", async (t) => {
  const host = new Host();
  await host.start(t, 20);
  const guest = host.guest();
  t.equal(await guest.send(open, Buffer.alloc(2 * 1024 * 1024), batch(1)), 413);
  t.equal(await guest.send(open, Buffer.from("nonsense"), batch(2)), 400);
  t.equal(await guest.send(open, spanBody("x", 1), {}), 400, "nobody can announce without a name");
  guest.hangUp();
});

t.test(
  "a guest pays for what its lost spans take, though it has gone, and no more than it can",
  async (t) => {
    const guests = new Guests(defaultLimits);
    const origin = { key: "sandbox:1", isGuest: true, sandboxId: "1" };
    const guest = guests.join(origin);
    if (guest === undefined) throw new Error("a guest was refused");
    const metrics = new Metrics();
    let delivered = 0;
    const deliver = async (_exported: Export, spent?: (ms: number) => void) => {
      delivered++;
      spent?.(10_000);
    };
    const announcements = new Announcements(deliver, metrics, silentLog, 1);
    t.teardown(() => announcements.close());
    for (const name of ["a", "b", "c"]) {
      const words = { instance: name, sequence: 1, ended: [], clockNanos: undefined };
      const instance = announcements.instance(origin.key, words);
      if (instance === undefined) throw new Error("an instance was refused");
      announcements.joined(instance);
      announcements.announce(instance, exportOf("open"), guest);
      announcements.left(instance);
    }
    guests.leave(guest);
    const lost = /spans_dropped_total\{backend="all",reason="queue-full"\} 2$/m;
    await until("two of them to be lost", async () => lost.test(await metrics.text()));
    t.equal(delivered, 1);
    t.ok((guests.join(origin)?.debtMs ?? 0) > 0);
  },
);
