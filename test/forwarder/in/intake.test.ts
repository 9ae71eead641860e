import t, { type Test } from "tap";
import type { Guest } from "../../../src/forwarder/in/guest.ts";
import { Guests } from "../../../src/forwarder/in/guests.ts";
import { Intake } from "../../../src/forwarder/in/intake.ts";
import { defaultLimits } from "../../../src/forwarder/in/limits.ts";
import { Metrics } from "../../../src/forwarder/metrics.ts";
import { jsonFromProtobuf } from "../../../src/forwarder/out/otlp-json.ts";
import { Scrubber } from "../../../src/forwarder/scrubber.ts";
import { jaegerBatch } from "../jaeger-batch.ts";
import { exportOf } from "../running.ts";

const share = 64 * 1024;

/** A guest with a small share of memory, and an intake whose spans are handed on when the test says so. */
function guestWithShare(t: Test): { guest: Guest; guests: Guests; intake: Intake; handOn(): void } {
  const guests = new Guests({ ...defaultLimits, maxHeldBytesPerGuest: share });
  const guest = guests.join({ key: "sandbox:a", isGuest: true, sandboxId: "a" });
  if (guest === undefined) throw new Error("a guest was refused");
  t.teardown(() => guests.leave(guest));
  const { promise, resolve } = Promise.withResolvers<void>();
  return { guest, guests, intake: new Intake(() => promise, new Metrics()), handOn: resolve };
}

const bodies = [
  ["otlp-json", Buffer.from(jsonFromProtobuf(exportOf("work")))],
  ["jaeger", jaegerBatch()],
] as const;

for (const [encoding, body] of bodies) {
  t.test(`what is made of ${encoding} counts against its guest's share while it is there`, async (t) => {
    const { guest, guests, intake, handOn } = guestWithShare(t);
    const taken = intake.take(guest, encoding, body);
    t.ok(guests.heldBytes > 0, "it is held");
    handOn();
    await taken;
    t.equal(guests.heldBytes, 0);
  });

  t.test(`what is made of ${encoding} is refused when there is no room for it`, async (t) => {
    const { guest, guests, intake } = guestWithShare(t);
    guest.take(share);
    await t.rejects(intake.take(guest, encoding, body), /too much at once/);
    t.equal(guests.heldBytes, share);
  });
}

t.test("a guest whose texts take too long to look through is refused and has to wait", async (t) => {
  const { guest } = guestWithShare(t);
  const metrics = new Metrics();
  const scrubber = new Scrubber([/(t+)+b/gu]);
  const intake = new Intake(async (exported) => void scrubber.scrub(exported), metrics);
  await t.rejects(intake.take(guest, "otlp-http", exportOf("t".repeat(60))), /takes too long/);
  t.ok(guest.debtMs > 0);
  t.match(await metrics.text(), /spans_refused_total\{status="400"\} 1/);
});

t.test("a guest has to wait for what its texts took, also when that was not too long", async (t) => {
  const { guest } = guestWithShare(t);
  const intake = new Intake(async (_exported, spent) => spent?.(1000), new Metrics());
  await intake.take(guest, "otlp-http", exportOf("work"));
  t.ok(guest.debtMs > 0);
});
