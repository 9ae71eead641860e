import { execFileSync, spawnSync } from "node:child_process";
import {
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { type Test, test } from "tap";
import { packInitrd, treatRoot } from "../../../scripts/package/osbuilder-steps.ts";

const tools = ["strip", "zstd", "cpio"].filter((tool) => spawnSync(tool, ["--version"]).error !== undefined);
const skip = tools.length > 0 ? `${tools.join(", ")} missing` : false;

/** A root with what the steps look at, and a tarball with a program for an agent. */
function small(t: Test): { root: string; tarball: string } {
  const folder = t.testdir();
  const write = (path: string, text = "") => {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), text);
  };
  write("root/sbin/init", "systemd");
  write("root/var/lib/dpkg/status");
  write("root/usr/share/doc/x/copyright");
  write("root/etc/chrony/chrony.conf", "pool pool.example iburst\nserver a\ndriftfile x\n");
  write(
    "root/lib/systemd/system/chrony.service",
    "[Unit]\n[Service]\nExecStart=/usr/sbin/chronyd -F 1 -u _chrony\nStateDirectory=x\n",
  );
  write("root/usr/lib/systemd/system/systemd-journald.service");
  write("root/usr/lib/systemd/system/sockets.target.wants/systemd-journald-dev-log.socket");
  write("root/usr/lib/systemd/system-generators/systemd-getty-generator");
  write("root/usr/lib/systemd/system/dbus.socket");
  mkdirSync(join(folder, "root/etc/systemd/system"), { recursive: true });
  symlinkSync("/run/resolv.conf", join(folder, "root/etc/resolv.conf"));
  write("agent.c", "int main(void) { return 0; }");
  mkdirSync(join(folder, "stage/usr/bin"), { recursive: true });
  const agent = join(folder, "stage/usr/bin/kata-agent");
  execFileSync("gcc", ["-g", "-o", agent, join(folder, "agent.c")]);
  const tarball = join(folder, "agent.tar.zst");
  execFileSync("tar", ["--zstd", "-cf", tarball, "-C", join(folder, "stage"), "usr/bin/kata-agent"]);
  return { root: join(folder, "root"), tarball };
}

const symbols = (file: string): boolean =>
  /\.symtab/.test(execFileSync("readelf", ["--sections", "--wide", file], { encoding: "utf8" }));

// image-and-runtime 1.3 steps 1, 4, 6, 7, 11, 12
test("with AGENT_INIT=yes the stripped agent takes the place of init", { skip }, async (t) => {
  const { root, tarball } = small(t);
  treatRoot(root, tarball, "yes");
  t.notOk(existsSync(join(root, "usr/bin/kata-agent")));
  t.equal(statSync(join(root, "sbin/init")).mode & 0o111, 0o111);
  t.notOk(symbols(join(root, "sbin/init")));
  t.same(readdirSync(join(root, "var")).sort(), ["run", "tmp"]);
  t.equal(readlinkSync(join(root, "var/tmp")), "../tmp");
  t.ok(lstatSync(join(root, "etc/resolv.conf")).isFile(), "the sandbox's own is bound over it");
  t.notOk(existsSync(join(root, "usr/share/doc")));
  t.notMatch(readFileSync(join(root, "etc/chrony/chrony.conf"), "utf8"), /^(pool|server)/m);
  t.match(readFileSync(join(root, "etc/chrony/chrony.conf"), "utf8"), /^refclock PHC \/dev\/ptp0 /m);
  const service = readFileSync(join(root, "lib/systemd/system/chrony.service"), "utf8");
  t.match(service, /^ConditionPathExists=\/dev\/ptp0$/m);
  t.notMatch(service, /-u _chrony|^StateDirectory/m);
});

test("with AGENT_INIT=no the target pulls in the agent, and journal and consoles are gone", {
  skip,
}, async (t) => {
  const { root, tarball } = small(t);
  treatRoot(root, tarball, "no");
  t.notOk(symbols(join(root, "usr/bin/kata-agent")));
  t.equal(readFileSync(join(root, "sbin/init"), "utf8"), "systemd");
  const wants = join(root, "etc/systemd/system/basic.target.wants/kata-containers.target");
  t.equal(readlinkSync(wants), "/usr/lib/systemd/system/kata-containers.target");
  t.match(readFileSync(join(root, "etc/systemd/system/tmp.mount"), "utf8"), /^Type=tmpfs$/m);
  t.same(readdirSync(join(root, "usr/lib/systemd/system")).sort(), ["dbus.socket", "sockets.target.wants"]);
  t.same(readdirSync(join(root, "usr/lib/systemd/system/sockets.target.wants")), []);
  t.same(readdirSync(join(root, "usr/lib/systemd/system-generators")), []);
});

// image-and-runtime 1.5
test("an initrd begins with /init, whichever the first process is", { skip }, async (t) => {
  for (const [agentInit, target] of [
    ["yes", "/sbin/init"],
    ["no", "/lib/systemd/systemd"],
  ] as const) {
    const folder = t.testdir({ root: { etc: { hostname: "x" } } });
    const file = join(folder, "made.initrd");
    packInitrd(join(folder, "root"), file, agentInit);
    const listed = execFileSync("sh", ["-c", 'gzip -dc "$0" | cpio -tv --quiet', file], { encoding: "utf8" });
    t.match(listed, `init -> ${target}`);
    t.match(listed, "etc/hostname");
  }
});
