import { spawnSync } from "node:child_process";
import { copyFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Test, test } from "tap";
import { readConfigFile } from "../../src/forwarder/config-file.ts";
import { needsRoot } from "../fakes/real-agent.ts";
import type { Served } from "./served.ts";

const node = join(import.meta.dirname, "../../deploy/node");
const unit = "kata-trace-forwarder.service";
const analyze = ["--no-pager"];
const skip =
  spawnSync("systemd-analyze", ["--version"]).status === 0 ? false : "systemd-analyze is not installed";

/** A root in which systemd finds the unit, what it starts, and units like those that every system has. */
function rootWithUnit(t: Test): string {
  const root = t.testdir();
  const units = join(root, "usr/lib/systemd/system");
  mkdirSync(units, { recursive: true });
  mkdirSync(join(root, "usr/bin"));
  for (const name of ["kata-trace-forwarder", "mkdir", "kill"])
    writeFileSync(join(root, "usr/bin", name), "", { mode: 0o755 });
  for (const name of ["sysinit", "basic", "shutdown", "network-online", "multi-user"])
    writeFileSync(join(units, `${name}.target`), "[Unit]\nDescription=stands for the real one\n");
  copyFileSync(join(node, unit), join(units, unit));
  return root;
}

test("systemd understands every line of the unit", { skip }, (t) => {
  const verify = ["verify", "--man=no", `--root=${rootWithUnit(t)}`, unit];
  const { status, stderr } = spawnSync("systemd-analyze", [...analyze, ...verify], { encoding: "utf8" });
  t.same({ status, stderr }, { status: 0, stderr: "" });
  t.end();
});

test("the unit leaves the forwarder little of the machine", { skip }, (t) => {
  // In tenths: 100 is a service without any hardening, below 30 systemd is content.
  const security = ["security", "--offline=true", "--threshold=30", join(node, unit)];
  const { status, stdout, stderr } = spawnSync("systemd-analyze", [...analyze, ...security], {
    encoding: "utf8",
  });
  t.equal(status, 0, stderr || stdout);
  t.match(readFileSync(join(node, unit), "utf8"), /^CapabilityBoundingSet=CAP_CHOWN CAP_DAC_OVERRIDE$/m);
  t.end();
});

const forwarder = join(import.meta.dirname, "../../build/kata-trace-forwarder");
const confinedSkip = existsSync(forwarder) ? needsRoot.skip : "build/kata-trace-forwarder is not built";

test("what the unit leaves it is enough to serve a VMM without privileges", { skip: confinedSkip }, (t) => {
  const config = join(t.testdir(), "forwarder.toml");
  // Without the listener that would open a VSOCK port of the machine.
  const text = readFileSync(join(node, "forwarder.toml"), "utf8").replace('"vsock://-1:10240", ', "");
  writeFileSync(config, text);
  const [, left = ""] = /^CapabilityBoundingSet=(.*)$/m.exec(readFileSync(join(node, unit), "utf8")) ?? [];
  const capabilities = left.toLowerCase().replaceAll("cap_", "").replaceAll(" ", ",");
  const script = join(import.meta.dirname, "confined-forwarder.ts");
  const args = ["env", "-u", "NODE_OPTIONS", process.execPath, script, forwarder, config, capabilities];
  const world = join(import.meta.dirname, "../../scripts/namespaces.sh");
  const { status, stdout, stderr } = spawnSync(world, args, { encoding: "utf8" });
  t.equal(status, 0, stderr);
  const served: Served = JSON.parse(stdout);
  t.match(served, { uid: 1000, status: 200, ended: 0 });
  t.end();
});

test("the configuration that is installed is one", async (t) => {
  const { listen, watch, backends, admin } = await readConfigFile(join(node, "forwarder.toml"));
  t.match(listen, [
    { kind: "vsock", port: 10240 },
    { kind: "tcp", host: "127.0.0.1", port: 4318 },
  ]);
  t.ok(watch.length > 0);
  t.match(admin, { kind: "tcp", host: "127.0.0.1" });
  t.match(backends, [{ kind: "file", path: "/var/log/kata-trace-forwarder/spans.jsonl" }]);
});

test("its examples hold when their comment signs are taken away", async (t) => {
  const text = readFileSync(join(node, "forwarder.toml"), "utf8").replace(/^# (?=\[|[a-z_]+ = )/gm, "");
  const file = join(t.testdir(), "forwarder.toml");
  writeFileSync(file, text);
  const { backends, ui } = await readConfigFile(file);
  t.match(ui, { kind: "tcp", host: "127.0.0.1" });
  t.match(
    backends.map(({ name }) => name),
    ["/var/log/kata-trace-forwarder/spans.jsonl", "collector"],
  );
});
