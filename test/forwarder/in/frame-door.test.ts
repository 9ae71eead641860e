import t from "tap";
import { FrameDoor } from "../../../src/forwarder/in/frame-door.ts";
import { Guests } from "../../../src/forwarder/in/guests.ts";
import { Intake } from "../../../src/forwarder/in/intake.ts";
import { defaultLimits } from "../../../src/forwarder/in/limits.ts";
import { Metrics } from "../../../src/forwarder/metrics.ts";
import { memoryStreamPair } from "../../fakes/memory-stream.ts";
import { until } from "../../fakes/until.ts";

t.test("a guest that sends nothing but frames that are none waits until it has paid", async (t) => {
  const guests = new Guests({ ...defaultLimits, guestBytesPerSecond: 10 });
  const guest = guests.join({ key: "sandbox:a", isGuest: true, sandboxId: "a" });
  if (guest === undefined) throw new Error("no room");
  const [metrics, stopping] = [new Metrics(), new AbortController()];
  const intake = new Intake(async () => {}, metrics);
  const [peer, ours] = memoryStreamPair();
  const served = new FrameDoor(ours, guest, intake, stopping.signal).serve();
  const none = Buffer.from("\0\0\0\0\0\0\0\x01{");
  peer.write(Buffer.concat(Array<Buffer>(100).fill(none)));
  await until("the connection is not read", () => ours.paused);
  t.ok(guest.debtMs > 0);
  t.match(await metrics.text(), /requests_refused_total\{encoding="upstream-json",status="400"\} 100/);
  stopping.abort();
  await served;
  t.equal(guests.heldBytes, 0);
});
