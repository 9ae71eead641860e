import { test } from "tap";
import { Code } from "../../src/base/code.ts";
import { containerId } from "../../src/base/ids.ts";
import type { Container } from "../../src/container/container.ts";
import { Registry } from "../../src/container/registry.ts";

const id = containerId("one1");
const container = { id } as Container;

test("an id is taken from the moment a create begins until it is forgotten", async (t) => {
  const registry = new Registry();
  const made = Promise.withResolvers<Container>();
  const first = registry.create(id, () => made.promise);
  t.equal(registry.size, 1);
  t.same([...registry.all()], [], "but nobody can use it yet");
  t.throws(() => registry.container(id, Code.invalidArgument), { code: Code.invalidArgument });
  let called = false;
  await t.rejects(
    registry.create(id, async () => {
      called = true;
      return container;
    }),
    { code: Code.internal, message: /already exists/ },
  );
  t.notOk(called, "the second has no effect at all");
  made.resolve(container);
  t.equal(await first, container);
  t.equal(registry.container(id, Code.internal), container);
  await t.rejects(
    registry.create(id, async () => container),
    { code: Code.internal },
  );
  registry.forget(id);
  t.equal(registry.size, 0);
  t.throws(() => registry.container(id, Code.internal), {
    code: Code.internal,
    message: "Invalid container id",
  });
});

test("a create that fails frees its id", async (t) => {
  const registry = new Registry();
  await t.rejects(
    registry.create(id, () => Promise.reject(new Error("no"))),
    { message: "no" },
  );
  t.equal(await registry.create(id, async () => container), container);
});

test("once closed it takes nothing new, and tells when the creates under way have ended", async (t) => {
  const registry = new Registry();
  const [fails, works] = [Promise.withResolvers<Container>(), Promise.withResolvers<Container>()];
  const failing = registry.create(id, () => fails.promise);
  const working = registry.create(containerId("two2"), () => works.promise);
  registry.close();
  let settled = false;
  const all = registry.settled().then(() => {
    settled = true;
  });
  await t.rejects(
    registry.create(containerId("three3"), async () => container),
    { code: Code.internal, message: "the sandbox has ended" },
  );
  fails.reject(new Error("no"));
  await t.rejects(failing, { message: "no" });
  await new Promise(setImmediate);
  t.notOk(settled, "one is still under way");
  works.resolve(container);
  await all;
  t.equal(await working, container);
  t.same([...registry.all()], [container], "what was created can be removed");
});
