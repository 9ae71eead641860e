import { execFileSync } from "node:child_process";
import { existsSync, globSync, statSync } from "node:fs";
import { join } from "node:path";
import { test } from "tap";

const root = join(import.meta.dirname, "../../..");
const [program] = globSync(join(root, ".cache/crun/*/crun")).filter((path) =>
  path.includes(process.arch === "x64" ? "/amd64-" : `/${process.arch}-`),
);
const skip = program === undefined ? "crun was not compiled here (make rootfs does)" : false;

test("the compiled crun is one static program of the packaged version, without systemd", {
  skip,
}, async (t) => {
  const file = program ?? "";
  t.ok(existsSync(file));
  const said = execFileSync(file, ["--version"], { encoding: "utf8" });
  t.match(said, new RegExp(`crun version ${/-([\d.]+)-/.exec(file)?.[1]}`));
  t.match(said, /\+CAP \+SECCOMP \+EBPF/);
  t.notMatch(said, /SYSTEMD/);
  const needs = execFileSync("readelf", ["--wide", "--dynamic", "--program-headers", file], {
    encoding: "utf8",
  });
  t.notMatch(needs, /NEEDED|program interpreter/);
  t.ok(statSync(file).size < 4e6, "stripped");
});
