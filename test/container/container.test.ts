import { test } from "tap";
import { Code } from "../../src/base/code.ts";
import { containerId } from "../../src/base/ids.ts";
import { Container, type ContainerParts } from "../../src/container/container.ts";

/** A container whose control group is written, and which is deleted, when the test says so. */
function slow() {
  const written = Promise.withResolvers<void>();
  const deleted = Promise.withResolvers<void>();
  const parts = {
    id: containerId("slow"),
    cgroup: { freeze: () => written.promise, killAll: () => true, populated: async () => false },
    crun: { delete: () => deleted.promise, start: async () => undefined },
    bundle: { remove: async () => undefined },
    init: { signal() {}, close() {}, released() {}, exit: undefined },
    spec: {},
  };
  return { container: new Container(parts as unknown as ContainerParts), written, deleted };
}

test("a pause that fails during a removal leaves the removal begun", async (t) => {
  const { container, written, deleted } = slow();
  await container.start();
  const paused = container.pause();
  const removed = container.remove();
  written.reject(new Error("gone"));
  await t.rejects(paused, { message: "gone" });
  t.ok(container.removing);
  await t.rejects(container.update({}), { code: Code.internal, message: /being removed/ });
  deleted.resolve();
  await removed;
});

test("a resume that ends during a removal leaves the removal begun", async (t) => {
  const { container, written, deleted } = slow();
  const paused = container.pause();
  const resumed = container.resume();
  const removed = container.remove();
  written.resolve();
  await Promise.all([paused, resumed]);
  t.ok(container.removing);
  deleted.resolve();
  await removed;
});
