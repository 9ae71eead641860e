import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { test } from "tap";
import { buildFolder, ownArchitecture } from "../../../scripts/image/architecture.ts";
import { guestContents, licensedContents } from "../../../scripts/image/guest-contents.ts";
import { placeLicences } from "../../../scripts/image/guest-licences.ts";
import { originFinder } from "../../../scripts/image/origin.ts";
import { ownSystemRoot } from "../../../scripts/image/system-root.ts";

const root = join(import.meta.dirname, "../../..");
const guest = join(buildFolder(root, ownArchitecture()), "guest");
const skip = existsSync(join(guest, "initrd.cpio")) ? false : "no guest was made here (make rootfs)";

/** Sentences that only the texts of these licences have. */
const texts: Readonly<Record<string, string>> = {
  "GPL 2": "Version 2, June 1991",
  "LGPL 2.1": "Version 2.1, February 1999",
  "GPL 3": "Version 3, 29 June 2007",
  "Node's": "Node.js is licensed for use as follows",
};

test("a guest holds the licences of all that is in it", { skip }, async (t) => {
  const system = ownSystemRoot(() => undefined);
  const described = [...licensedContents("agent", system), ...licensedContents("systemd", system)];
  await placeLicences(system, described);
  const entries = guestContents("systemd", system);
  const source = (name: string): Buffer => {
    const entry = entries.find(({ path }) => path === `/usr/lib/kata-agent-node/${name}`);
    return readFileSync(entry && "source" in entry ? entry.source : "");
  };
  t.match(source("LICENSE").toString(), "Apache License");
  const packed = source("THIRD-PARTY.txt.gz");
  t.ok(packed.length < 300_000, `${packed.length} bytes of the initrd's budget`);
  const text = gunzipSync(packed).toString();
  const rows = new Set(text.split("\n").map((line) => line.split(/\s+/).slice(0, 2).join(" ")));
  for (const origin of entries.map(originFinder(system)))
    if (origin.kind === "debian") t.ok(rows.has(`debian ${origin.package.name}`), origin.package.name);
  for (const row of ["node Node.js", "npm pino", "debian libseccomp2", "libc glibc"])
    t.ok(rows.has(row), row);
  t.notOk(rows.has("npm preact"), "nothing that only the host's programs have");
  for (const [name, sentence] of Object.entries(texts)) t.ok(text.includes(sentence), name);
});
