import t from "tap";
import { freeBytes } from "../../src/forwarder/free-bytes.ts";

t.test("memory that is the array's own is given back, also behind gRPC's five bytes", async (t) => {
  const whole = Buffer.allocUnsafeSlow(10_000);
  freeBytes(whole);
  t.equal(whole.length, 0);
  const message = Buffer.allocUnsafeSlow(10_005).subarray(5);
  freeBytes(message);
  t.equal(message.length, 0);
});

t.test("memory that others may stand in is left", async (t) => {
  const pooled = Buffer.from("short");
  freeBytes(pooled);
  t.equal(pooled.toString(), "short");
  const large = Buffer.alloc(10_000, 7);
  freeBytes(large.subarray(6));
  freeBytes(large.subarray(0, 9_000));
  t.ok(large.every((byte) => byte === 7) && large.length === 10_000);
  freeBytes(new Uint8Array(0));
});
