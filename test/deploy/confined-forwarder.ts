// Has a forwarder with no more rights than its unit leaves it serve a VMM without privileges. Runs in a private world
// (scripts/namespaces.sh); prints what was seen as one JSON document.
//
//   confined-forwarder.ts FORWARDER CONFIG CAPABILITIES
import { spawn } from "node:child_process";
import { once } from "node:events";
import { chownSync, existsSync, mkdtempSync, renameSync, statSync } from "node:fs";
import { request } from "node:http";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { until } from "../fakes/until.ts";
import type { Served } from "./served.ts";

const [forwarder = "", config = "", capabilities = ""] = process.argv.slice(2);
const vmmUser = 1000;
const socket = "/run/vc/vm/pod/clh.sock_10240";

// Its own mounts are not ours: /run is made here, so that both see the sandboxes come.
const confined = join(import.meta.dirname, "as-the-unit.sh");
const child = spawn("unshare", ["--mount", "--", confined, capabilities, forwarder, "--config", config], {
  stdio: ["ignore", "inherit", "pipe"],
});
const exit = once(child, "exit");
const told: string[] = [];
const lines = createInterface({ input: child.stderr }).on("line", (line) => told.push(line));

/** Looks until it holds. Fails with the log when the forwarder has ended, or cannot do what it was asked for. */
function untilOrEnd(what: string, holds: () => boolean): Promise<void> {
  return until(what, () => {
    const failed = child.exitCode !== null || told.some((line) => line.includes("cannot listen"));
    if (failed) throw new Error(told.join("\n"));
    return holds();
  });
}

/** As a runtime does it for a VMM of its own user: a folder that nobody else may enter. */
function makeSandbox(): void {
  const made = mkdtempSync("/run/vc/new-");
  chownSync(made, vmmUser, vmmUser);
  renameSync(made, "/run/vc/vm/pod");
}

function send(body: string): Promise<number | undefined> {
  const headers = { "content-type": "application/json" };
  return new Promise((resolve, reject) => {
    request({ socketPath: socket, method: "POST", path: "/v1/traces", headers }, ({ statusCode }) =>
      resolve(statusCode),
    )
      .on("error", reject)
      .end(body);
  });
}

await untilOrEnd("the forwarder to listen", () => told.some((line) => line.includes('"listening"')));
makeSandbox();
await untilOrEnd("the socket to be given away", () => existsSync(socket) && statSync(socket).uid !== 0);
const { uid } = statSync(socket);
const span = { traceId: "a".repeat(32), spanId: "b".repeat(16), name: "boot" };
process.setegid?.(vmmUser);
process.seteuid?.(vmmUser);
const status = await send(JSON.stringify({ resourceSpans: [{ scopeSpans: [{ spans: [span] }] }] }));
process.seteuid?.(0);
child.kill("SIGTERM");
const [ended] = await exit;
lines.close();
const seen: Served = { uid, status, ended };
process.stdout.write(`${JSON.stringify(seen)}\n`);
