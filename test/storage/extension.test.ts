import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "tap";
import { extensionWords } from "../../src/agent/extension-words.ts";
import { diskBySerial } from "../../src/storage/extension.ts";
import { extensionVerity } from "../../src/storage/extension-verity.ts";

const hash = "ab".repeat(32);

test("extensions are what the command line names, with names that can be paths (agent-api 1.3)", async (t) => {
  const line = [
    `quiet kata.extension.coco.verity_params=root_hash=${hash},data_blocks=5 kata.extension.dev-kit_1.verity_params`,
    "kata.extension..verity_params kata.extension.a/../b.verity_params=x kata.extension.a.b.verity_params=x",
    `kata.extension.${"x".repeat(65)}.verity_params kata.extension.coco.other=1 kata.extensionXcoco.verity_params`,
  ].join(" ");
  t.same(extensionWords(line), [
    { name: "coco", verityParams: `root_hash=${hash},data_blocks=5` },
    { name: "dev-kit_1", verityParams: "" },
  ]);
  const many = Array.from({ length: 100 }, (_, number) => `kata.extension.e${number}.verity_params`).join(
    " ",
  );
  t.equal(extensionWords(many).length, 32);
});

test("verity parameters are read, or refused as a whole", async (t) => {
  t.equal(extensionVerity(""), undefined);
  t.match(
    extensionVerity(`root_hash=${hash},salt=00ff,data_blocks=12,data_block_size=512,hash_block_size=1024`),
    {
      rootHash: hash,
      salt: "00ff",
      dataBlocks: 12,
      dataBlockBytes: 512,
      hashBlockBytes: 1024,
      treeOffsetBytes: 0,
    },
  );
  t.match(extensionVerity(`root_hash=${hash},data_blocks=1`), { dataBlockBytes: 4096, salt: "-" });
  for (const bad of [
    ...["x", "root_hash=", `root_hash=${hash}`, `root_hash=${hash},data_blocks=0`, "data_blocks=1"],
    ...[`root_hash=--help,data_blocks=1`, `root_hash=${hash},data_blocks=1,salt=zz`],
    ...[
      `root_hash=${hash},data_blocks=1,data_block_size=1000`,
      `root_hash=${hash},data_blocks=9999999999999999`,
    ],
  ])
    t.throws(() => extensionVerity(bad), { code: 13 }, bad);
});

test("a disk is found by its serial number", async (t) => {
  const sysfs = mkdtempSync(join(tmpdir(), "sys-"));
  t.teardown(() => rmSync(sysfs, { recursive: true }));
  for (const [disk, serial] of Object.entries({
    vda: "extension-a",
    vdb: "extension-b\n",
    loop0: undefined,
  })) {
    mkdirSync(join(sysfs, "block", disk), { recursive: true });
    if (serial !== undefined) writeFileSync(join(sysfs, "block", disk, "serial"), serial);
  }
  t.equal(await diskBySerial("extension-b", sysfs), "/dev/vdb");
  await t.rejects(diskBySerial("extension-c", sysfs), { code: 13, message: /no disk has the serial number/ });
});
