import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "tap";
import { bundledPackages } from "../../scripts/package/bundled-packages.ts";
import { mayShip } from "../../scripts/package/component.ts";
import { thirdPartyText } from "../../scripts/package/third-party.ts";

const root = join(import.meta.dirname, "../..");
const file = join(root, "build/release/THIRD-PARTY.txt");
const skip = existsSync(file) ? false : "no package was made: make package";

test("every package in the bundles has a licence that allows to ship it, with its text", async (t) => {
  const packages = await bundledPackages(root);
  const names = packages.map(({ name }) => name);
  for (const name of ["commander", "@grpc/grpc-js", "preact", "yaml", "smol-toml", "prom-client"])
    t.ok(names.includes(name), name);
  for (const { name, licence, texts } of packages) {
    t.ok(mayShip(licence), `${name}: ${licence}`);
    t.ok(texts.length > 0, `${name} has its licence`);
  }
});

test("what is only used to build or to test is in no bundle", async (t) => {
  const names = (await bundledPackages(root)).map(({ name }) => name);
  for (const name of ["esbuild", "typescript", "tap", "thrift", "axe-core"])
    t.notOk(names.includes(name), name);
});

test("the packages carry the list, with Node, the C library and the crates", { skip }, async (t) => {
  const text = readFileSync(file, "utf8");
  for (const { name, version, licence } of await bundledPackages(root))
    t.match(text, new RegExp(`^npm +${name.replace(/[/.]/g, "\\$&")} ${version} +${licence}$`, "m"), name);
  t.match(text, `Node.js ${process.versions.node} `);
  t.match(text, /^libc +glibc [0-9.]+ +LGPL-2\.1-or-later$/m);
  if (!existsSync(join(root, "build/lib/policy.node"))) return;
  for (const crate of ["regorus", "json-patch", "serde_json"])
    t.match(text, new RegExp(`^crate +${crate} `, "m"));
});

test("a licence is allowed when one of its alternatives is, and all of its parts are", (t) => {
  for (const licence of ["MIT", "Unlicense OR MIT", "MIT/Apache-2.0", "(MIT OR Apache-2.0) AND Unicode-3.0"])
    t.ok(mayShip(licence), licence);
  for (const licence of ["GPL-3.0-only", "MIT AND GPL-2.0-only", "undefined", "", "SEE LICENSE IN x"])
    t.notOk(mayShip(licence), licence);
  t.end();
});

test("a licence that several share stands there once", (t) => {
  const one = { kind: "npm", version: "1.0.0", licence: "MIT", texts: ["The text."] } as const;
  const text = thirdPartyText([
    { ...one, name: "a" },
    { ...one, name: "b" },
  ]);
  t.match(text, /^a, b\n=+\n\nThe text\.$/m);
  t.equal(text.split("The text.").length, 2);
  t.end();
});
