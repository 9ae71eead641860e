import { createHash } from "node:crypto";
import {
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { type Test, test } from "tap";
import { takeInitdata } from "../../src/agent/initdata.ts";
import { findInitdata } from "../../src/agent/initdata-device.ts";
import { parseInitdata } from "../../src/agent/initdata-document.ts";
import { type LogFields, silentLog } from "../../src/base/log.ts";
import { initdataDisk, initdataText } from "../fakes/initdata-disk.ts";

/** A folder that stands in for /dev, with plain files for disks. */
function devOf(t: Test, files: Readonly<Record<string, Uint8Array | string>>): string {
  const dev = mkdtempSync(join(tmpdir(), "dev-"));
  t.teardown(() => rmSync(dev, { recursive: true }));
  for (const [name, bytes] of Object.entries(files)) writeFileSync(join(dev, name), bytes);
  return dev;
}

const anyFile = async () => true;
const text = initdataText({ "aa.toml": "a = 1\n", "policy.rego": "package agent_policy\n", "x.toml": "no" });

test("initdata is found on the first vd or sd disk that begins with its mark (agent-api 1.4 step 10)", async (t) => {
  const dev = devOf(t, {
    vda: "short",
    vdb: Buffer.alloc(4096),
    sda: "initdat",
    vdc: initdataDisk(text),
    null: initdataDisk("other"),
  });
  symlinkSync("/nonexistent", join(dev, "vd-gone"));
  const packed = await findInitdata(dev, anyFile);
  t.equal(Buffer.from(parseInitdata(packed ?? Buffer.alloc(0)).text).toString(), text);
  t.equal(await findInitdata(devOf(t, { vda: Buffer.alloc(512) }), anyFile), undefined);
  t.equal(await findInitdata(dev), undefined, "a plain file is no disk");
});

test("a length beyond the disk or beyond the limit is refused before memory is taken for it", async (t) => {
  for (const length of [1_000n, 2n ** 63n, 2n ** 64n - 1n, 17n * 1024n * 1024n]) {
    await t.rejects(
      findInitdata(devOf(t, { vda: initdataDisk(text, length) }), anyFile),
      { code: 3 },
      `${length}`,
    );
  }
});

test("a document that unpacks to too much, or that is none, is refused without its contents", async (t) => {
  const bad: readonly (readonly [string, Uint8Array])[] = [
    ["it is too long", gzipSync(Buffer.alloc(33 * 1024 * 1024))],
    ["it is no gzip", Buffer.from("secret")],
    ["it is no TOML", gzipSync("secret = = secret")],
    ["it is no TOML", gzipSync(Buffer.from([0xff, 0xfe]))],
    ["its version", gzipSync('version = "0.2.0"\nalgorithm = "sha256"\n[data]\n')],
    ["unknown digest algorithm", gzipSync(initdataText({}, "md5"))],
    ["unknown digest algorithm", gzipSync(initdataText({}, "constructor"))],
    ["it has no data", gzipSync('version = "0.1.0"\nalgorithm = "sha256"\n')],
    ["its data is no text", gzipSync('version = "0.1.0"\nalgorithm = "sha256"\n[data]\n"aa.toml" = 5\n')],
  ];
  for (const [why, packed] of bad) {
    try {
      parseInitdata(packed);
      t.fail(why);
    } catch (error) {
      t.match(error, { code: 3, message: `initdata: ${why}` });
      t.notMatch((error as Error).message, /secret/);
    }
  }
  for (const algorithm of ["sha256", "sha384", "sha512"])
    t.equal(parseInitdata(gzipSync(initdataText({}, algorithm))).algorithm, algorithm);
});

test("its files are put in their place for root alone, and its policy is handed on", async (t) => {
  const into = join(devOf(t, {}), "confidential/initdata");
  const said: LogFields[] = [];
  const log = { ...silentLog, info: (fields: LogFields) => void said.push(fields) };
  const found = await takeInitdata(log, async () => gzipSync(text), into);
  t.same(found, { policy: "package agent_policy\n" });
  t.same(readdirSync(into).sort(), ["aa.toml", "initdata.toml"], "only what is asked for by name");
  t.equal(readFileSync(join(into, "initdata.toml"), "utf8"), text);
  t.equal(readFileSync(join(into, "aa.toml"), "utf8"), "a = 1\n");
  for (const name of ["", "aa.toml", "initdata.toml"])
    t.equal(statSync(join(into, name)).mode & 0o077, 0, name);
  t.match(said, [
    { algorithm: "sha256", digest: createHash("sha256").update(text).digest("hex"), policy: true },
  ]);
});

test("without initdata nothing is made", async (t) => {
  const into = join(devOf(t, {}), "initdata");
  t.equal(await takeInitdata(silentLog, async () => undefined, into), undefined);
  t.throws(() => statSync(into), { code: "ENOENT" });
});
