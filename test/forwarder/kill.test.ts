import { mkdirSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import t from "tap";
import { Collector } from "../fakes/collector.ts";
import { Random } from "../fakes/random.ts";
import { exportOf, post, spawnForwarder, temporaryFolder } from "./running.ts";

t.test("what was acknowledged arrives, whoever is killed in between", async (t) => {
  const folder = temporaryFolder(t);
  const [socket, config, spool] = [join(folder, "s"), join(folder, "c.toml"), join(folder, "spool")];
  mkdirSync(spool);
  let backend = new Collector();
  const port = await backend.listen(0);
  t.teardown(() => backend.close());
  const arrived: string[] = [];
  const collect = () => arrived.push(...backend.spans.map(({ name }) => name));
  writeFileSync(
    config,
    `listen = ["unix://${socket}"]\n[[backend]]\ntype = "otlp-http"\nurl = "http://127.0.0.1:${port}"\nspool = "${spool}"\n`,
  );
  const random = new Random(11);
  const acknowledged: string[] = [];
  let forwarder = await spawnForwarder(t, "--config", config);
  const kills = { forwarder: 0, backend: 0, guest: 0 };
  for (let round = 0; round < 24; round++) {
    const sends = Array.from({ length: 10 }, async (_, i) => {
      const name = `${round}-${i}`;
      const answer = await post(socket, exportOf(name)).catch(() => undefined);
      if (answer?.status === 200) acknowledged.push(name);
    });
    const victim = random.pick(["forwarder", "backend", "guest"] as const);
    kills[victim]++;
    if (victim === "forwarder") {
      await Promise.race(sends);
      await forwarder.stop("SIGKILL");
      forwarder = await spawnForwarder(t, "--config", config);
    } else if (victim === "backend") {
      await backend.close();
      collect();
      backend = new Collector();
      await backend.listen(port);
    } else {
      // A guest that dies in the middle of a request.
      const dying = connect(socket);
      dying
        .on("error", () => {})
        .write("POST /v1/traces HTTP/1.1\r\ncontent-length: 100\r\n\r\nabc", () => dying.destroy());
    }
    await Promise.all(sends);
  }
  const missing = () => {
    const all = new Set([...arrived, ...backend.spans.map(({ name }) => name)]);
    return acknowledged.filter((name) => !all.has(name));
  };
  await backend.until(() => missing().length === 0);
  collect();
  t.ok(acknowledged.length > 100);
  t.equal(await forwarder.stop(), 0);
  t.comment({
    kills,
    acknowledged: acknowledged.length,
    arrivedTwice: arrived.length - new Set(arrived).size,
  });
});
