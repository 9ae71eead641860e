/** A disk without room: nothing is acknowledged that is not kept, and what is there stays whole. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import t from "tap";
import { Collector } from "../fakes/collector.ts";
import { eventually } from "../interop/backends/backend.ts";
import { exportOf, linesOf, post, spawnForwarderBy, temporaryFolder } from "./running.ts";
import { type SmallDisk, smallDisk } from "./small-disk.ts";

const diskBytes = 256 * 1024;

/** Requests of some KiB each, many spans of one name. */
const large = (name: string) => Buffer.concat(Array.from({ length: 50 }, () => exportOf(name)));

/** Sends until it is refused; gives the names that were acknowledged, and the one that was not. */
async function fillUp(socket: string, prefix: string): Promise<{ taken: string[]; refused: string }> {
  const taken: string[] = [];
  for (let i = 0; ; i++) {
    const name = `${prefix}-${i}`;
    const { status } = await post(socket, large(name));
    if (status === 503) return { taken, refused: name };
    if (status !== 200) throw new Error(`answered ${status}`);
    taken.push(name);
  }
}

function namesIn(disk: SmallDisk): string[] {
  return linesOf(disk.path("spans.jsonl")).flatMap((line) => [
    ...new Set([...JSON.stringify(line).matchAll(/"name":"([^"]+)"/g)].map(([, name]) => name ?? "")),
  ]);
}

t.test("a file on a full disk refuses, keeps whole lines, and goes on when there is room", async (t) => {
  const disk = await smallDisk(t, diskBytes);
  const socket = join(temporaryFolder(t), "s");
  const file = join(disk.folder, "spans.jsonl");
  const forwarder = await spawnForwarderBy(t, disk.by, "-l", `unix://${socket}`, "--file", file);
  t.equal((await post(socket, large("first"))).status, 200);
  disk.fill();
  const { taken, refused } = await fillUp(socket, "full");
  t.same(namesIn(disk), ["first", ...taken], "nothing but what was acknowledged, line by line");
  disk.free();
  t.equal((await post(socket, large(refused))).status, 200);
  t.same(namesIn(disk), ["first", ...taken, refused]);
  t.equal(await forwarder.stop(), 0);
});

t.test("a spool on a full disk refuses, and what it has taken arrives once", async (t) => {
  const disk = await smallDisk(t, diskBytes);
  const folder = temporaryFolder(t);
  const [socket, config] = [join(folder, "s"), join(folder, "c.toml")];
  const backend = new Collector();
  const port = await backend.listen(0);
  await backend.close();
  writeFileSync(
    config,
    `listen = ["unix://${socket}"]\n[[backend]]\ntype = "otlp-http"\nurl = "http://127.0.0.1:${port}"\nspool = "${disk.folder}/spool"\n`,
  );
  const forwarder = await spawnForwarderBy(t, disk.by, "--config", config);
  const { taken, refused } = await fillUp(socket, "spooled");
  t.ok(taken.length > 10);
  await forwarder.stop("SIGKILL");
  const again = await spawnForwarderBy(t, disk.by, "--config", config);
  t.equal((await post(socket, large(refused))).status, 503, "still full");
  const later = new Collector();
  await later.listen(port);
  t.teardown(() => later.close());
  await later.until(() => later.spans.length >= 50 * taken.length);
  await eventually("room", async () => (await post(socket, large(refused))).status === 200 || undefined);
  await later.until(() => later.spans.some(({ name }) => name === refused));
  const counts = Map.groupBy(later.spans, ({ name }) => name);
  t.same([...counts.keys()], [...taken, refused]);
  t.ok(
    [...counts.values()].every((spans) => spans.length === 50),
    "each once",
  );
  t.equal(await again.stop(), 0);
});
