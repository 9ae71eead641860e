import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { test } from "tap";
import { touchShareMounts } from "../../src/storage/stale-share-mounts.ts";
import { readMounts } from "../../src/sys/read-mounts.ts";

const everyMount = "";

test("every mount below the share is looked at once, by one walk for all who ask", async (t) => {
  const seen: string[] = [];
  const release = Promise.withResolvers<void>();
  const look = async (mountPoint: string) => {
    seen.push(mountPoint);
    await release.promise;
    throw new Error("stale");
  };
  const asked = [touchShareMounts(everyMount, look), touchShareMounts(everyMount, look)];
  release.resolve();
  await Promise.all(asked);
  const mounts = (await readMounts()).map(({ mountPoint }) => mountPoint);
  t.same(seen, mounts);
  await touchShareMounts(everyMount, look);
  t.equal(seen.length, 2 * mounts.length, "the next call walks again");
});

test("a share without mounts is done at once", async (t) => {
  const seen: string[] = [];
  await touchShareMounts("/no/such/share", async (mountPoint) => seen.push(mountPoint));
  t.same(seen, []);
});

// agent-api 3.17
test("calls that gave up on a walk that hangs leave nothing behind", async (t) => {
  const program = join(import.meta.dirname, "hung-walk.ts");
  const grown = execFileSync(process.execPath, ["--expose-gc", program], { env: {}, encoding: "utf8" });
  t.match(grown, /^-?\d+\n$/);
  t.ok(Number(grown) < 2_000_000, `50,000 calls left ${grown.trim()} bytes`);
});
