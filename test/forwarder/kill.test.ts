import { writeFileSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import t from "tap";
import { Collector } from "../fakes/collector.ts";
import { Random } from "../fakes/random.ts";
import { exportOf, post, spawnForwarderBy, temporaryFolder } from "./running.ts";
import { smallDisk } from "./small-disk.ts";

const guests = 10;
const rounds = 32;
const victims = ["forwarder", "backend", "guest", "disk"] as const;

t.test("what was acknowledged arrives, whoever is killed in between", async (t) => {
  const disk = await smallDisk(t, 4 * 1024 * 1024);
  const folder = temporaryFolder(t);
  const [socket, config] = [join(folder, "s"), join(folder, "c.toml")];
  let backend = new Collector();
  const port = await backend.listen(0);
  t.teardown(() => backend.close());
  const arrived: string[] = [];
  const collect = () => arrived.push(...backend.spans.map(({ name }) => name));
  writeFileSync(
    config,
    `listen = ["unix://${socket}"]\n[[backend]]\ntype = "otlp-http"\nurl = "http://127.0.0.1:${port}"\nspool = "${disk.folder}/spool"\n`,
  );
  const random = new Random(11);
  const acknowledged: string[] = [];
  /** Of each guest, the number of its request: the same one again until it is answered, as our agent does. */
  const numbers: number[] = Array(guests).fill(1);
  let refused = 0;
  const send = async (guest: number) => {
    const name = `${guest}-${numbers[guest]}`;
    const headers = { "kata-batch": `guest-${name}` };
    const answer = await post(socket, exportOf(name), headers).catch(() => undefined);
    if (answer?.status === 503) refused++;
    if (answer?.status !== 200) return;
    acknowledged.push(name);
    numbers[guest] = (numbers[guest] ?? 0) + 1;
  };
  let forwarder = await spawnForwarderBy(t, disk.by, "--config", config);
  const kills = { forwarder: 0, backend: 0, guest: 0, disk: 0 };
  for (let round = 0; round < rounds; round++) {
    const victim = random.pick(victims);
    kills[victim]++;
    if (victim === "disk") disk.fill();
    const sends = numbers.map((_, guest) => send(guest));
    if (victim === "forwarder") {
      await Promise.race(sends);
      await forwarder.stop("SIGKILL");
      forwarder = await spawnForwarderBy(t, disk.by, "--config", config);
    } else if (victim === "backend") {
      await backend.close();
      collect();
      backend = new Collector();
      await backend.listen(port);
    } else if (victim === "guest") {
      // One that dies in the middle of a request.
      const dying = connect(socket);
      dying
        .on("error", () => {})
        .write("POST /v1/traces HTTP/1.1\r\ncontent-length: 100\r\n\r\nabc", () => dying.destroy());
    }
    await Promise.all(sends);
    disk.free();
  }
  const missing = () => {
    const all = new Set([...arrived, ...backend.spans.map(({ name }) => name)]);
    return acknowledged.filter((name) => !all.has(name));
  };
  await backend.until(() => missing().length === 0);
  t.equal(await forwarder.stop(), 0);
  collect();
  const arrivedTwice = arrived.length - new Set(arrived).size;
  t.equal(new Set(acknowledged).size, acknowledged.length);
  t.ok(acknowledged.length > 100);
  // Sent, and then one of both was killed before that was noted: a backend tells such repeats by the span's id.
  t.ok(arrivedTwice <= guests * (kills.forwarder + kills.backend), `${arrivedTwice} came twice`);
  t.ok(Math.min(...Object.values(kills)) > 0, "each was killed");
  t.comment({ kills, acknowledged: acknowledged.length, refused, arrived: arrived.length, arrivedTwice });
});
