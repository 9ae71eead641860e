import { test } from "tap";
import { verityOptions } from "../../src/storage/verity-options.ts";

// agent-api 4.2.1: dm-verity per partition
const rootHash = "ab".repeat(32);
const of = (...words: string[]) =>
  verityOptions(["X-kata.dmverity-enabled=true", ...words.map((word) => `X-kata.dmverity.${word}`)]);

test("a layer without the mark is not checked", async (t) => {
  t.equal(
    verityOptions([`X-kata.dmverity.roothash=${rootHash}`, "X-kata.dmverity.hashoffset=4096"]),
    undefined,
  );
});

test("defaults are those of the reference, and the tree lies behind the superblock", async (t) => {
  t.strictSame(of(`roothash=${rootHash}`, "hashoffset=81920"), {
    rootHash,
    treeOffsetBytes: 86_016,
    dataBlocks: 20,
    dataBlockBytes: 4096,
    hashBlockBytes: 4096,
    algorithm: "sha256",
    salt: "-",
    hashType: 1,
  });
});

test("every value can be given", async (t) => {
  const given = [
    "blocksize=1024",
    "hashsize=512",
    "algorithm=sha512",
    "salt=00ff",
    "hashtype=0",
    "no-superblock=true",
  ];
  t.match(of(`roothash=${rootHash}`, "hashoffset=2048", ...given), {
    treeOffsetBytes: 2048,
    dataBlocks: 2,
    algorithm: "sha512",
    salt: "00ff",
    hashType: 0,
  });
});

test("what is missing, malformed or meant as an argument of the program is refused", async (t) => {
  const good = { roothash: rootHash, hashoffset: "4096" };
  const bad = [
    { ...good, roothash: "" },
    { ...good, roothash: "--help" },
    { ...good, roothash: `${rootHash} x` },
    { ...good, hashoffset: "0" },
    { ...good, hashoffset: "4097" },
    { ...good, hashoffset: "-4096" },
    { ...good, blocksize: "3000" },
    { ...good, blocksize: "0" },
    { ...good, hashsize: "1048576" },
    { ...good, algorithm: "--x" },
    { ...good, salt: "xyz" },
    { ...good, hashtype: "2" },
    { ...good, "no-superblock": "maybe" },
  ];
  for (const options of bad) {
    const words = Object.entries(options).map(([key, value]) => `${key}=${value}`);
    t.throws(() => of(...words), { code: 13 }, words.join(" "));
  }
  t.throws(() => of("hashoffset=4096"), { code: 13 });
});
