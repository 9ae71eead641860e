import { execFileSync, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "tap";
import { ownArchitecture } from "../../scripts/image/architecture.ts";
import { cleanRoot } from "../../scripts/package/clean-root-file.ts";
import { packDeb } from "../../scripts/package/deb.ts";
import { packFolder } from "../../scripts/package/pack-folder.ts";
import { describeRelease, packageNames } from "../../scripts/package/release.ts";
import { type Placed, stage } from "../../scripts/package/stage.ts";
import { version } from "../../src/base/version.ts";
import type { Seen } from "./installed-deb.ts";

const root = join(import.meta.dirname, "../..");
const release = describeRelease(root, ownArchitecture(), { SOURCE_DATE_EPOCH: "1767312000" });
const names = packageNames(release);
const [deb, tarball] = [names.deb, names.tarball].map((name) => join(root, "build/release", name)) as [
  string,
  string,
];
const noPackage = !existsSync(deb) && "no package was made: make package";

function whyNotInstalled(): string | false {
  if (noPackage) return noPackage;
  if (process.getuid?.() !== 0) return "installing a package in a root of its own needs root";
  return cleanRoot() === undefined && "no clean root was made: scripts/package/clean-root.ts";
}

test("the package installs in a clean Debian, its forwarder takes a span, and nothing stays", {
  skip: whyNotInstalled(),
}, (t) => {
  const script = join(import.meta.dirname, "install-deb.ts");
  // The test runner's options for Node name files that are not in the clean root.
  const args = ["env", "-u", "NODE_OPTIONS", process.execPath, script, cleanRoot() ?? "", deb];
  const { status, stdout, stderr } = spawnSync(join(root, "scripts/namespaces.sh"), args, {
    encoding: "utf8",
  });
  t.equal(status, 0, stderr);
  const seen: Seen = JSON.parse(stdout.trim().split("\n").at(-1) ?? "");
  t.match(seen, { enabled: true, version, verified: "", health: "ok", taken: 200, ended: 0 });
  t.match(seen.tree, /installed/);
  const conffile = /^\/etc\/kata-trace-forwarder(\/forwarder\.toml)?$/;
  // The log, and what remembers that the unit was enabled, are for the administrator to purge.
  const kept = /^\/(var\/log\/kata-trace-forwarder|etc\/systemd\/system|var\/lib\/systemd)(\/|$)/;
  t.same(
    seen.afterRemove.filter((path) => !conffile.test(path) && !kept.test(path)),
    [],
  );
  t.ok(seen.afterRemove.includes("/etc/kata-trace-forwarder/forwarder.toml"), "the configuration was kept");
  t.same(seen.afterPurge, []);
  t.end();
});

test("the tarball works where it was unpacked", { skip: noPackage }, (t) => {
  const folder = t.testdir();
  const unpack = `"${process.execPath}" -e 'require("fs").createReadStream(process.argv[1])
    .pipe(require("zlib").createZstdDecompress()).pipe(process.stdout)' "$1" | tar -xf - -C "$2"`;
  execFileSync("sh", ["-c", unpack, "sh", tarball, folder]);
  const [agentctl = ""] = globSync(join(folder, "*/bin/agentctl"));
  t.equal(execFileSync(agentctl, ["--version"], { encoding: "utf8" }).trim(), version);
  const help = execFileSync(agentctl.replace(/agentctl$/, "kata-trace-forwarder"), ["--help"]);
  t.match(help.toString(), /--config/);
  t.end();
});

test("the same files make the same packages, whenever and in whatever order", (t) => {
  const bytes = Buffer.alloc(4 * 1024 * 1024, "not all the same, and more than one block of the compressor ");
  const files: Placed[] = [
    { path: "usr/bin/tool", mode: 0o755, content: bytes },
    { path: "usr/share/a/text", mode: 0o644, content: "text\n" },
    { path: "etc/tool.toml", mode: 0o644, content: "" },
  ];
  const meta = join(root, "deploy/node/debian");
  const made = [files, files.toReversed()].map((list) => {
    const folder = t.testdir();
    const file = join(folder, "made");
    stage(join(folder, "top"), list, release.dateS);
    packFolder(folder, "top", `${file}.tar.zst`, release.dateS);
    packDeb({ files: list, meta, folder: join(folder, "deb"), file: `${file}.deb` }, release);
    const listed = execFileSync("dpkg-deb", ["--contents", `${file}.deb`], {
      encoding: "utf8",
      env: { ...process.env, TZ: "UTC" },
    });
    for (const line of listed.trim().split("\n")) t.match(line, / root\/root .* 2026-01-02 00:00 /);
    return [".tar.zst", ".deb"].map((end) =>
      createHash("sha256")
        .update(readFileSync(file + end))
        .digest("hex"),
    );
  });
  t.same(made[0], made[1]);
  t.end();
});
