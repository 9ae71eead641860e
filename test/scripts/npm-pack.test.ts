import { execFileSync, spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "tap";

const root = join(import.meta.dirname, "../..");
const npm = ["pack", "--dry-run", "--json", "--ignore-scripts", "--loglevel=error"];

const skip =
  spawnSync("git", ["-C", root, "rev-parse"]).status === 0 ? false : "these sources are no checkout of git";

test("npm packs the sources that the programs are built from, and nothing else", { skip }, (t) => {
  const said = execFileSync("npm", npm, { cwd: root, encoding: "utf8" });
  const [{ files }] = JSON.parse(said) as [{ files: { path: string }[] }];
  const paths = files.map(({ path }) => path);
  const folders = ["src", "protos", "scripts", "rootfs", "deploy", "docs"];
  const alone = [
    "CHANGELOG.md",
    "CONTRIBUTING.md",
    "LICENSE",
    "Makefile",
    "README.md",
    "package.json",
    "tsconfig.json",
  ];
  const wanted = execFileSync("git", ["ls-files", ...folders, ...alone], { cwd: root, encoding: "utf8" });
  t.same(paths.sort(), wanted.trim().split("\n").sort());
  t.end();
});

test("every version that is needed is named exactly", (t) => {
  const { dependencies, devDependencies } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
  for (const [name, version] of Object.entries<string>({ ...dependencies, ...devDependencies }))
    t.match(version, /^\d+\.\d+\.\d+$/, name);
  t.end();
});

test("the version is a semantic one", (t) => {
  const { version } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
  t.match(version, /^(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)(-[0-9A-Za-z.-]+)?$/);
  t.end();
});
