import t from "tap";
import { Guests } from "../../../src/forwarder/in/guests.ts";
import { defaultLimits } from "../../../src/forwarder/in/limits.ts";

t.test("who has waited for a guest's debt waits again when another has made a new one", async (t) => {
  const guests = new Guests({ ...defaultLimits, guestBytesPerSecond: 1000 });
  const guest = guests.join({ key: "sandbox:a", isGuest: true, sandboxId: "a" });
  if (guest === undefined) throw new Error("a guest was refused");
  guest.spend(2200);
  const { signal } = new AbortController();
  const spendAgain = (): void => guest.spend(10_000);
  const both = await Promise.allSettled([1, 2].map(() => guest.pace(signal).then(spendAgain)));
  t.same(both.map(({ status }) => status).sort(), ["fulfilled", "rejected"]);
});
