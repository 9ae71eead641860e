import t from "tap";
import { BootSteps } from "../../src/trace/boot-steps.ts";
import { attributesOf } from "../fakes/collector.ts";
import { traced } from "./traced.ts";

t.test("steps made before tracing began are children of the root, which starts with the first", async (t) => {
  const bootSteps = new BootSteps();
  bootSteps.note("kernel", {}, -500, -100);
  await bootSteps.step("boot", { "kata.boot.pid1": true }, (boot) =>
    bootSteps.step("mounts", {}, async (step) => step.set({ "kata.mount.count": 4 }), boot),
  );
  await t.rejects(
    bootSteps.step("module", {}, () => {
      throw Object.assign(new Error("x"), { code: "ENOENT", syscall: "finit_module" });
    }),
  );
  const { finish } = await traced(t, { bootSteps });
  const { named, report } = await finish();
  t.match(report, { sent: 5, complete: true });
  for (const name of ["kernel", "boot", "module"]) t.equal(named(name).parentSpanId, named("sandbox").spanId);
  t.equal(named("mounts").parentSpanId, named("boot").spanId);
  t.same(attributesOf(named("mounts")), { "kata.mount.count": 4 });
  t.same(attributesOf(named("boot")), { "kata.boot.pid1": true });
  t.match(named("module").status, { code: 2, message: "finit_module: ENOENT" });
  t.equal(named("sandbox").startTimeUnixNano, named("kernel").startTimeUnixNano);
  const { startTimeUnixNano, endTimeUnixNano } = named("kernel");
  t.equal((BigInt(endTimeUnixNano) - BigInt(startTimeUnixNano)) / 1_000_000n, 400n);
});

t.test("a step that is under way when tracing begins is sent when it ends", async (t) => {
  const bootSteps = new BootSteps();
  const { promise, resolve } = Promise.withResolvers<void>();
  const step = bootSteps.step("listen", {}, () => promise);
  const { finish } = await traced(t, { bootSteps });
  resolve();
  await step;
  const { named } = await finish();
  t.equal(named("listen").parentSpanId, named("sandbox").spanId);
});

t.test("steps that nobody wants are forgotten", async (t) => {
  const bootSteps = new BootSteps();
  await bootSteps.step("boot", {}, () => 1);
  bootSteps.discard();
  t.equal(await bootSteps.step("later", {}, () => 2), 2);
  t.equal(bootSteps.earliestMs, undefined);
});
