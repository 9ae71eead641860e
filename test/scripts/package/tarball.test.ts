import { execFileSync } from "node:child_process";
import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { type Test, test } from "tap";
import { ownArchitecture } from "../../../scripts/image/architecture.ts";
import type { TreeEntry, TreeSources } from "../../../scripts/image/guest-tree.ts";
import { carriedEntries, libraryFolder } from "../../../scripts/package/carried-entries.ts";
import { packTarball } from "../../../scripts/package/pack-tarball.ts";

const patchelf = hasTool("patchelf") && hasTool("zstd") ? false : "patchelf or zstd is missing";

function hasTool(name: string): boolean {
  try {
    execFileSync(name, ["--version"], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}

/** A build folder with something for each line of the lists, and this machine for the distribution. */
function small(t: Test): TreeSources {
  const build = join(t.testdir(), "build");
  const touch = (name: string) => {
    mkdirSync(dirname(join(build, name)), { recursive: true });
    writeFileSync(join(build, name), name);
  };
  for (const name of ["kata-agent", "lib/kata-agent.cjs", "lib/kata.node", "lib/kata-hook"]) touch(name);
  mkdirSync(join(build, "guest"), { recursive: true });
  for (const text of ["guest/LICENSE", "guest/THIRD-PARTY.txt.gz"]) touch(text);
  for (const program of ["node", "crun"]) copyFileSync("/bin/sh", join(build, "guest", program));
  return { architecture: ownArchitecture(), build, system: "/" };
}

const pathsOf = (entries: readonly TreeEntry[]): string[] => entries.map(({ path }) => path);

// image-and-runtime 1.7: the tarball is unpacked over the root
test("only files below /usr, and no library in the place of the distribution's", async (t) => {
  const paths = pathsOf(carriedEntries(small(t), ["crun", "iproute2"]));
  t.ok(paths.includes("/usr/bin/kata-agent"));
  t.ok(paths.includes("/usr/lib/systemd/system/kata-agent.service"));
  t.ok(paths.includes("/usr/lib/systemd/system/kata-containers.target"));
  t.ok(paths.includes("/usr/lib/kata-agent-node/THIRD-PARTY.txt.gz"), "the licences of all that");
  t.ok(paths.includes("/usr/bin/crun") && paths.includes("/usr/sbin/ip"));
  for (const path of paths) t.ok(path.startsWith("/usr/"), path);
  const libraries = paths.filter((path) => /\.so(\.|$)/.test(path));
  for (const path of libraries) t.equal(dirname(path), libraryFolder);
  t.notOk(
    libraries.some((path) => /\/(libc|libm|ld-linux[^/]*)\.so/.test(path)),
    "no part of the C library",
  );
  t.ok(
    libraries.some((path) => path.endsWith("/libmnl.so.0")),
    "what ip needs",
  );
});

test("what is not asked for stays out, with its libraries", async (t) => {
  const paths = pathsOf(carriedEntries(small(t), []));
  t.notOk(paths.includes("/usr/bin/crun") || paths.includes("/usr/sbin/ip"));
  t.notOk(paths.some((path) => path.endsWith("/libmnl.so.0")));
  t.ok(paths.includes("/usr/lib/kata-agent-node/node"));
});

test("the same entries give the same bytes, and a program finds its libraries", {
  skip: patchelf,
}, async (t) => {
  const folder = t.testdir();
  const entries: TreeEntry[] = [
    { kind: "file", path: "/usr/lib/b", mode: 0o600, data: Buffer.from("b") },
    { kind: "file", path: "/usr/bin/ip", mode: 0o755, source: "/bin/ip" },
    { kind: "link", path: "/usr/lib/a", mode: 0o777, target: "b" },
  ];
  const [one, two] = [join(folder, "one.tar.zst"), join(folder, "two.tar.zst")];
  packTarball(one, entries);
  packTarball(two, [...entries].reverse());
  t.ok(readFileSync(one).equals(readFileSync(two)));
  const listed = execFileSync("tar", ["--zstd", "-tvf", one], { encoding: "utf8" }).trim().split("\n");
  t.match(listed, [
    /^-rwxr-xr-x 0\/0 .* usr\/bin\/ip$/,
    /^l.* usr\/lib\/a -> b$/,
    /^-rw------- 0\/0 .* usr\/lib\/b$/,
  ]);
  execFileSync("tar", ["--zstd", "-xf", one, "-C", folder]);
  const said = execFileSync("readelf", ["--dynamic", join(folder, "usr/bin/ip")], { encoding: "utf8" });
  t.match(said, `(RPATH)`);
  t.match(said, libraryFolder);
});
