import { execFile } from "node:child_process";
import { readlinkSync } from "node:fs";
import { promisify } from "node:util";
import { test } from "tap";

const { PATH } = process.env;
const execute = promisify(execFile);
const namespaces = [
  "--mount",
  "--pid",
  "--fork",
  "--mount-proc",
  "--propagation",
  "private",
  "--uts",
  "--ipc",
  "--net",
];
const isRoot = process.getuid?.() === 0;
const user = isRoot ? [] : ["-r"];

async function inNamespace(name: string): Promise<unknown> {
  const script = [`${import.meta.dirname}/in-namespace.ts`, name, readlinkSync("/proc/self/ns/pid")];
  const { stdout } = await execute("unshare", [...user, ...namespaces, process.execPath, ...script], {
    // Without the preparations of the test runner, which write to folders of their own.
    env: { PATH },
    timeout: 400_000,
    killSignal: "SIGKILL",
  });
  return JSON.parse(stdout);
}

const refusal = await execute("unshare", [...user, ...namespaces, "true"]).then(
  () => false as const,
  (error: Error) => `namespaces are not allowed here: ${error.message.split("\n").at(-2) ?? error.message}`,
);

for (const [sentence, name, expected] of [
  [
    "mounts are made, made read-only and taken away",
    "mounts",
    { mounted: true, readOnly: "EROFS", unmounted: true, again: "EINVAL" },
  ],
  [
    "a namespace persists with its host name, ours stays",
    "names",
    { ours: "renamed", theirs: "elsewhere", bound: true, failure: ["EINVAL", "sethostname"] },
  ],
  ["the loopback comes up", "link", { before: false, after: true }],
  [
    "device events of the kernel arrive",
    "uevents",
    { action: "change", devpath: "/devices/virtual/net/lo", subsystem: "net", name: "lo" },
  ],
  ["PID 1 reaps all orphans", "orphans", "alone"],
  ["a session is started once", "session", "EPERM"],
] as const) {
  const skip = refusal || (name === "uevents" && !isRoot && "only root may make the kernel tell of a device");
  test(sentence, { skip }, async (t) => {
    t.same(await inNamespace(name), expected);
  });
}

test("power off ends the pid namespace it is called in", { skip: refusal }, async (t) => {
  // The kernel ends the init process of a namespace by SIGINT in this case (reboot(2)), and unshare passes that on.
  const ending: unknown = await inNamespace("powerOff").catch((error: unknown) => error);
  t.match(ending, { signal: "SIGINT" });
});
