import t from "tap";
import { hrTime, SpanClock } from "../../src/trace/clock.ts";

t.test("a time is told in whole seconds and nanoseconds of the wall clock", async (t) => {
  t.same(hrTime(1500.25, 1_789_000_000_000), [1_789_000_001, 500_250_000]);
  t.same(hrTime(-250, 1_789_000_000_000), [1_788_999_999, 750_000_000]);
});

t.test("it agrees with the wall clock", async (t) => {
  const clock = new SpanClock();
  const beforeMs = Date.now();
  const [seconds, nanos] = hrTime(performance.now(), clock.offsetMs);
  const afterMs = Date.now();
  // Both clocks are adjusted while they run.
  const slackMs = 100;
  const toldMs = seconds * 1000 + nanos / 1e6;
  t.ok(toldMs > beforeMs - slackMs && toldMs < afterMs + slackMs, `${toldMs} of ${beforeMs} to ${afterMs}`);
});

t.test("it follows a clock that was set, and looks at most ten times a second", async (t) => {
  const beforeMs = performance.now();
  const clock = new SpanClock();
  const before = clock.offsetMs;
  const realNow = Date.now;
  t.teardown(() => {
    Date.now = realNow;
  });
  Date.now = () => realNow() + 3_600_000;
  clock.follow(beforeMs);
  t.equal(clock.offsetMs, before, "looked a moment ago");
  for (let lookAtMs = beforeMs; clock.offsetMs === before; lookAtMs += 1000) clock.follow(lookAtMs);
  t.ok(Math.abs(clock.offsetMs - before - 3_600_000) < 60_000);
});

t.test("it does not follow the jitter of a clock that was not set", async (t) => {
  const clock = new SpanClock();
  const before = clock.offsetMs;
  clock.follow(performance.now() + 1000);
  t.equal(clock.offsetMs, before);
});

t.test("it does not take a stall between two looks for a clock that was set", async (t) => {
  const clock = new SpanClock();
  const before = clock.offsetMs;
  const realNow = Date.now;
  t.teardown(() => {
    Date.now = realNow;
  });
  Date.now = () => {
    const beganMs = performance.now();
    while (performance.now() - beganMs < 60);
    return realNow();
  };
  clock.follow(performance.now() + 1000);
  t.equal(clock.offsetMs, before);
});
