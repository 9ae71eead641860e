import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "tap";
import { buildFolder, ownArchitecture } from "../../../scripts/image/architecture.ts";
import { billOfMaterials } from "../../../scripts/image/bill-of-materials.ts";
import { guestContents } from "../../../scripts/image/guest-contents.ts";
import { asImageKind } from "../../../scripts/image/image-kind.ts";
import { makeImage } from "../../../scripts/image/make-image.ts";
import { sbomPython } from "../../../scripts/image/sbom-tool.ts";
import { sizeReport } from "../../../scripts/image/size-report.ts";
import { ownSystemRoot } from "../../../scripts/image/system-root.ts";

const guest = join(buildFolder(join(import.meta.dirname, "../../.."), ownArchitecture()), "guest");
// Where a guest was made, all is there to make another one quickly.
const skip = existsSync(join(guest, "initrd.cpio")) ? false : "no guest was made here (make rootfs)";

const silent = (): void => undefined;

const hashOf = (file: string): string => createHash("sha256").update(readFileSync(file)).digest("hex");

/** What the judge of CycloneDX's own library says of a document: `None` is nothing. */
function complaint(document: string): string {
  const script = [
    "import sys",
    "from cyclonedx.schema import SchemaVersion",
    "from cyclonedx.validation.json import JsonStrictValidator",
    "print(JsonStrictValidator(SchemaVersion.V1_7).validate_str(sys.stdin.read()))",
  ];
  const options = { input: document, encoding: "utf8" } as const;
  return execFileSync(sbomPython(), ["-c", script.join("\n")], options).trim();
}

for (const [format, init] of [
  ["cpio", "agent"],
  ["ext4", "systemd"],
] as const) {
  test(`made twice, ${format} with ${init} as init is the same bytes`, { skip }, async (t) => {
    const kind = asImageKind(ownArchitecture(), { format, init });
    const dir = t.testdir();
    const [one, two] = [
      await makeImage(kind, silent, join(dir, "one")),
      await makeImage(kind, silent, join(dir, "two")),
    ];
    t.equal(hashOf(one.file), hashOf(two.file));
  });
}

test("the reports name where each file is from, and list what a scanner looks for", { skip }, async (t) => {
  const system = ownSystemRoot(silent);
  const kind = asImageKind(ownArchitecture(), { format: "cpio" });
  const made = { kind, file: join(guest, "initrd.cpio"), entries: guestContents("agent", system), system };
  const sizes = sizeReport(made);
  t.match(sizes, /\| node \| 1\d\d\.\d\d \| 1 \|/);
  t.match(sizes, /\| \/usr\/sbin\/ip \| 0\.\d\d \| iproute2 [\d.-]+/);
  t.notMatch(sizes, /\| undefined \|/);
  const text = billOfMaterials(made);
  const bill = JSON.parse(text);
  t.match(bill, { bomFormat: "CycloneDX", specVersion: "1.7", serialNumber: /^urn:uuid:[0-9a-f-]{36}$/ });
  const purls: string[] = bill.components.map(({ purl }: { purl: string }) => purl);
  for (const wanted of [
    `pkg:generic/node@${process.versions.node}`,
    /^pkg:deb\/debian\/libc6@2\..*\?arch=/,
    /^pkg:deb\/debian\/crun@/,
    /^pkg:npm\/%40opentelemetry\/api@/,
  ]) {
    t.ok(
      purls.some((purl) => (typeof wanted === "string" ? purl === wanted : wanted.test(purl))),
      String(wanted),
    );
  }
  const libcap = /^pkg:deb\/debian\/libcap2@.*arch=source$/;
  const found = bill.components.find(({ purl }: { purl: string }) => libcap.test(purl));
  t.match(found?.licenses, [{ expression: /BSD-3-Clause/ }], "what Debian's packages say of their licences");
  const hasEngine = made.entries.some(({ path }) => path.endsWith("/policy.node"));
  t.equal(
    purls.some((purl) => purl.startsWith("pkg:cargo/regorus@")),
    hasEngine,
    "the crates of the policy engine, where it is inside",
  );
  t.equal(new Set(bill.components.map((each: { "bom-ref": string }) => each["bom-ref"])).size, purls.length);
  t.equal(billOfMaterials(made), text, "the same for the same image");
  t.equal(complaint(text), "None", "as CycloneDX's schema has it");
  t.not(complaint(text.replace('"CycloneDX"', '"other"')), "None", "which says so of another");
});
