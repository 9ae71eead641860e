// Runs in a private world (scripts/namespaces.sh): lays out a clean root, installs the package there, lets its forwarder
// take a span, removes and purges the package. What was seen is printed as one JSON document.
//
//   install-deb.ts ROOT.tar PACKAGE.deb
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { copyFileSync, existsSync, mkdirSync, readFileSync, readlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { Seen } from "./installed-deb.ts";

const [archive = "", deb = ""] = process.argv.slice(2);
const root = "/run/root";
const config = "etc/kata-trace-forwarder/forwarder.toml";
const spans = "var/log/kata-trace-forwarder/spans.jsonl";
const env = { PATH: "/usr/sbin:/usr/bin:/sbin:/bin", DEBIAN_FRONTEND: "noninteractive", LC_ALL: "C" };
const span = { traceId: "0af7651916cd43dd8448eb211c80319c", spanId: "b7ad6b7169203331", name: "installed" };

const sh = (file: string, ...args: string[]): string => execFileSync(file, args, { encoding: "utf8", env });
const inside = (...args: string[]): string => sh("chroot", root, ...args);

/** Every file, folder and link but what dpkg keeps for itself. */
function everything(): Set<string> {
  const not = ["/proc", "/dev", "/sys", "/var/lib/dpkg", "/var/log/dpkg.log", "/var/cache"];
  const prune = not.flatMap((path, index) => [...(index > 0 ? ["-o"] : []), "-path", `${root}${path}`]);
  const found = sh("find", root, "(", ...prune, ")", "-prune", "-o", "-printf", "/%P\n");
  return new Set(found.split("\n").filter((path) => path !== "/" && path !== "/deb"));
}

const added = (before: Set<string>): string[] => [...everything().difference(before)].sort();

function layOut(): void {
  mkdirSync(root);
  sh("tar", "-xf", archive, "-C", root);
  for (const name of ["proc", "dev"]) sh("mount", "--rbind", `/${name}`, join(root, name));
  sh("ip", "link", "set", "lo", "up");
  copyFileSync(deb, join(root, "deb"));
}

/** The installed configuration, without the listener that would open a VSOCK port of the machine. */
function configure(): void {
  const text = readFileSync(join(root, config), "utf8");
  writeFileSync(join(root, config), text.replace('"vsock://-1:10240", ', ""));
  // What systemd does for the unit before it starts.
  mkdirSync(join(root, "var/log/kata-trace-forwarder"));
}

async function takeSpan(): Promise<Pick<Seen, "health" | "taken" | "tree" | "ended">> {
  const args = [root, "/usr/bin/kata-trace-forwarder", "--config", `/${config}`];
  const forwarder = spawn("chroot", args, { env, stdio: ["ignore", "ignore", "pipe"] });
  const exit = once(forwarder, "exit");
  const told: string[] = [];
  for await (const line of createInterface({ input: forwarder.stderr })) {
    told.push(line);
    if (line.includes('"listening"')) break;
  }
  if (forwarder.exitCode !== null) throw new Error(told.join("\n"));
  forwarder.stderr.resume();
  const health = await fetch("http://127.0.0.1:10241/healthz").then((answer) => answer.text());
  const times = { startTimeUnixNano: "1700000000000000000", endTimeUnixNano: "1700000000250000000" };
  const body = { resourceSpans: [{ scopeSpans: [{ spans: [{ ...span, ...times, kind: 1 }] }] }] };
  const taken = await fetch("http://127.0.0.1:4318/v1/traces", {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
  });
  forwarder.kill("SIGTERM");
  const [ended] = await exit;
  return {
    health: health.trim(),
    taken: taken.status,
    tree: inside("agentctl", "trace", `/${spans}`),
    ended,
  };
}

layOut();
const before = everything();
inside("dpkg", "--install", "/deb");
const link = join(root, "etc/systemd/system/multi-user.target.wants/kata-trace-forwarder.service");
const enabled = existsSync(link) || readlinkSync(link) !== "";
const version = inside("agentctl", "--version").trim();
const verified = inside("dpkg", "--verify", "kata-agent-node");
configure();
const taken = await takeSpan();
inside("dpkg", "--remove", "kata-agent-node");
const afterRemove = added(before);
inside("dpkg", "--purge", "kata-agent-node");
const seen: Seen = { enabled, version, verified, ...taken, afterRemove, afterPurge: added(before) };
process.stdout.write(`${JSON.stringify(seen)}\n`);
