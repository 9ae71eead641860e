import { copyFileSync, mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { test } from "tap";
import { ownArchitecture } from "../../../scripts/image/architecture.ts";
import { readTree, readTrees, type TreeSources } from "../../../scripts/image/guest-tree.ts";

const thisMachine = (build: string): TreeSources => ({ architecture: ownArchitecture(), build, system: "/" });

function touch(file: string, text = ""): void {
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, text);
}

test("a program comes with its libraries and its loader, each marked as a library", async (t) => {
  const tree = readTree("exec /usr/bin/tool sh\n", thisMachine("/nowhere"));
  t.match(tree[0], { path: "/usr/bin/tool", isLibrary: undefined });
  const libraries = tree.filter(({ isLibrary }) => isLibrary).map(({ path }) => path);
  t.ok(
    libraries.some((path) => /^\/usr\/lib.*\/libc\.so/.test(path)),
    "libc",
  );
  t.ok(
    libraries.some((path) => /^\/usr\/lib.*\/ld-linux/.test(path)),
    "the loader",
  );
  t.equal(libraries.length, tree.length - 1);
});

test("programs and absolute sources come from below the system's root, not from this machine", async (t) => {
  const system = t.testdir();
  const busybox = join(system, "usr/bin/busybox");
  mkdirSync(dirname(busybox), { recursive: true });
  copyFileSync("/bin/busybox", busybox);
  symlinkSync("usr/bin", join(system, "bin"));
  touch(join(system, "usr/lib/x/xtables/libxt_a.so"));
  const sources = { ...thisMachine("/nowhere"), system };
  const text =
    "exec /usr/bin/a busybox\nfile /usr/bin/b 755 /bin/busybox\nglob same 644 /usr/lib/*/xtables/*.so\n";
  t.match(readTree(text, sources), [
    { path: "/usr/bin/a", source: busybox },
    { path: "/usr/bin/b", source: busybox },
    { path: "/usr/lib/x/xtables/libxt_a.so" },
  ]);
  t.throws(() => readTree("exec /usr/bin/sh sh\n", sources), /sh is not in/, "this machine has one");
});

test("a later list wins, and a path is there once", async (t) => {
  const tree = readTree("text /etc/a 644 one\ntext /etc/b 644\ntext /etc/a 600 two\n", thisMachine("/"));
  t.match(tree, [{ path: "/etc/a", mode: 0o600, data: Buffer.from("two\n") }, { path: "/etc/b" }]);
  t.equal(tree.length, 2);
});

test("the agent's own list holds launcher, bundle, addon and Node, and no program of the host", async (t) => {
  const build = t.testdir();
  const files = ["kata-agent", "lib/kata-agent.cjs", "lib/kata-agent.bundle.js", "lib/agentctl.cjs"];
  for (const file of [...files, "lib/kata.node", "lib/kata-hook"]) touch(join(build, file));
  mkdirSync(join(build, "guest"));
  for (const program of ["node", "crun"]) copyFileSync("/bin/busybox", join(build, "guest", program));
  const paths = readTrees(["agent.tree"], thisMachine(build)).map(({ path }) => path);
  for (const name of ["kata-agent.cjs", "kata-agent.bundle.js", "kata.node", "kata-hook", "node"]) {
    t.ok(paths.includes(`/usr/lib/kata-agent-node/${name}`), name);
  }
  t.ok(paths.includes("/usr/bin/kata-agent"));
  t.notOk(paths.some((path) => path.includes("agentctl")));
});

test("a line that cannot be met is an error that quotes it", async (t) => {
  const sources = thisMachine(t.testdir());
  for (const line of [
    "file /a 644 ./missing",
    "socket /a 644",
    "glob /a 644 none*",
    "exec /a no-such-tool",
  ]) {
    t.throws(() => readTree(line, sources, "odd.tree"), {
      message: new RegExp(`odd.tree: ${line.replace("*", "\\*")}`),
    });
  }
});
