import t from "tap";
import { FrameDoor } from "../../../src/forwarder/in/frame-door.ts";
import { Guests } from "../../../src/forwarder/in/guests.ts";
import { Intake } from "../../../src/forwarder/in/intake.ts";
import { defaultLimits } from "../../../src/forwarder/in/limits.ts";
import { Metrics } from "../../../src/forwarder/metrics.ts";
import { memoryStreamPair } from "../../fakes/memory-stream.ts";
import { until } from "../../fakes/until.ts";
import { jsonFrame } from "../../interop/old-agents.ts";

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

t.test(
  "spans before a length that makes no sense are handed on, and the loss is counted and told",
  async (t) => {
    const guests = new Guests(defaultLimits);
    const guest = guests.join({ key: "sandbox:a", isGuest: true, sandboxId: "a" });
    if (guest === undefined) throw new Error("no room");
    const metrics = new Metrics();
    let spans = 0;
    const intake = new Intake(async (exported) => {
      spans += exported.spans;
    }, metrics);
    const [peer, ours] = memoryStreamPair();
    const served = new FrameDoor(ours, guest, intake, new AbortController().signal).serve();
    const frame = jsonFrame("1af7651916cd43dd8448eb211c80319c");
    peer.write(Buffer.concat([frame, frame, Buffer.alloc(8, 255), frame]));
    t.match(await served, { status: 400, message: "frame too long" });
    t.equal(spans, 2);
    const text = await metrics.text();
    t.match(text, /requests_refused_total\{encoding="upstream-json",status="400"\} 1/);
    t.match(text, /spans_refused_total\{status="400"\} 1/);
    t.equal(guests.heldBytes, 0);
  },
);
