import { type Test, test } from "tap";
import { Code } from "../../src/base/code.ts";
import { type Log, silentLog } from "../../src/base/log.ts";
import { Uevents } from "../../src/devices/uevents.ts";
import type { Uevent } from "../../src/sys/uevent.ts";

const longMs = 60_000;
const what = "made-up device";
const turn = () => new Promise((resolve) => setImmediate(resolve));

/** Events that the test tells, and how often the socket was opened. */
function told(t: Test, timeoutMs = longMs) {
  const source = { happen: (_event: Partial<Uevent>) => {}, lose: () => {}, opened: 0 };
  const uevents = new Uevents({
    log: silentLog,
    timeoutMs,
    pollMs: longMs,
    open: (onEvent, onLost) => {
      source.opened += 1;
      source.happen = (event) => onEvent({ action: "add", devpath: "/x", ...event } as Uevent);
      source.lose = onLost;
      return { [Symbol.dispose]: () => undefined };
    },
  });
  uevents.start();
  t.teardown(() => uevents.close());
  return { uevents, source };
}

test("what is there is found by the first look, without an event (5.2)", async (t) => {
  const { uevents } = told(t, 0);
  t.equal(await uevents.waitFor(async () => "disk", { what }), "disk");
});

test("every event makes each wait look again, over one socket", async (t) => {
  const { uevents, source } = told(t);
  const looks = [0, 0];
  const waits = looks.map((_, index) => {
    const look = async () => {
      const count = ++(looks as [number, number])[index as 0 | 1];
      return count > 3 + index ? count : undefined;
    };
    return uevents.waitFor(look, { what });
  });
  for (let event = 0; event < 4; event++) {
    for (let count = 0; count < 20; count++) await turn();
    source.happen({});
  }
  t.same(await Promise.all(waits), [4, 5]);
  t.equal(source.opened, 1);
});

test("an event that comes during a look is not missed, and a lost one counts as one", async (t) => {
  const { uevents, source } = told(t);
  let there: string | undefined;
  let looks = 0;
  const look = async () => {
    const found = there;
    looks += 1;
    if (looks === 2) {
      there = "late";
      source.lose();
    }
    await turn();
    return found;
  };
  t.equal(await uevents.waitFor(look, { what }), "late");
  t.equal(looks, 3);
});

test("a device that goes wakes nobody", async (t) => {
  const { uevents, source } = told(t);
  let looks = 0;
  const ended = uevents.waitFor(
    async () => {
      looks += 1;
      return looks > 2 ? true : undefined;
    },
    { what },
  );
  for (let count = 0; count < 20; count++) await turn();
  source.happen({ action: "remove" });
  for (let count = 0; count < 20; count++) await turn();
  t.equal(looks, 2);
  source.happen({ action: "change" });
  t.ok(await ended);
});

test("a wait ends at its limit, with its caller, or with the agent", async (t) => {
  const never = async () => undefined;
  const { uevents } = told(t, 5);
  await t.rejects(uevents.waitFor(never, { what }), {
    code: Code.internal,
    message: "made-up device did not come within 5 ms",
  });
  await t.rejects(uevents.waitFor(never, { what, missing: "Link not found" }), { message: "Link not found" });
  const caller = new AbortController();
  const given = uevents.waitFor(never, { what, timeoutMs: longMs, signal: caller.signal });
  caller.abort(new Error("went away"));
  await t.rejects(given, { message: "went away" });
  const last = uevents.waitFor(never, { what, timeoutMs: longMs });
  await turn();
  uevents.close();
  await t.rejects(last, { message: /agent ends/ });
  await t.rejects(uevents.waitFor(never, { what, timeoutMs: longMs }), { message: /agent ends/ });
  uevents.close();
});

test("what a look throws ends the wait", async (t) => {
  const { uevents } = told(t);
  await t.rejects(
    uevents.waitFor(() => Promise.reject(new Error("no such")), { what }),
    { message: "no such" },
  );
});

test("where no socket can be opened the clock takes its place, and the log tells once", async (t) => {
  const lines: string[] = [];
  const log: Log = { ...silentLog, warn: (_fields, message) => void lines.push(message) };
  const open = () => {
    throw Object.assign(new Error("EPERM"), { code: "EPERM" });
  };
  const uevents = new Uevents({ log, timeoutMs: longMs, open });
  t.teardown(() => uevents.close());
  uevents.start();
  let looks = 0;
  const look = async () => {
    looks += 1;
    return looks > 2 ? "found" : undefined;
  };
  t.equal(await uevents.waitFor(look, { what }), "found");
  t.match(lines, [/no device events here/]);
  t.equal(lines.length, 1);
});
