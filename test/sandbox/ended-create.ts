/**
 * Ends a sandbox while it is being made and prints, as JSON, what became of it; started by sandbox.test.ts as PID 1 of
 * fresh namespaces. Refuses to run anywhere else: it works on the guest's own folders.
 */
import { readFileSync, readlinkSync } from "node:fs";
import { silentLog } from "../../src/base/log.ts";
import { Sandbox } from "../../src/sandbox/sandbox.ts";
import type { Storage } from "../../src/storage/storage.ts";
import { mount } from "../../src/sys/mount.ts";

const outer = process.argv[2] ?? "";
if (process.pid !== 1 || outer === "" || readlinkSync("/proc/self/ns/pid") === outer)
  throw new Error("only for the first process of fresh namespaces");

await mount({ source: "tmpfs", target: "/run", type: "tmpfs", data: "mode=755" });
const asked = Promise.withResolvers<void>();
const comes = Promise.withResolvers<void>();
const late: Storage = {
  driver: "late",
  driverOptions: [],
  source: "none",
  fstype: "tmpfs",
  options: [],
  mountPoint: "/run/late",
  shared: false,
};
const driver = async () => {
  asked.resolve();
  await comes.promise;
  return undefined;
};
const sandbox = new Sandbox(silentLog, new Map([["late", driver]]));
const request = {
  id: undefined,
  hostname: "",
  dns: ["nameserver 192.0.2.1"],
  storages: [late],
  kernelModules: [],
  guestHookPath: "",
};
const made = sandbox.create(request).then(
  () => "made",
  (error: Error) => error.message,
);
await asked.promise;
await sandbox.destroy();
comes.resolve();
const first = await made;
const again = await sandbox.create(request).catch((error: Error) => error.message);
const left = readFileSync("/proc/self/mountinfo", "utf8")
  .split("\n")
  .map((line) => line.split(" ")[4] ?? "")
  .filter((point) => point.startsWith("/run/") || point === "/etc/resolv.conf");
process.stdout.write(JSON.stringify({ first, again, left }));
