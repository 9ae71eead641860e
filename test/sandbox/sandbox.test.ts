import { execFile } from "node:child_process";
import { readlinkSync } from "node:fs";
import { promisify } from "node:util";
import { test } from "tap";

const flags = "--mount --pid --fork --mount-proc --propagation private --uts --ipc --net".split(" ");
const skip = process.getuid?.() === 0 ? false : "only root may make namespaces that hold their own";

test("a sandbox that ends while it is made is not made, and leaves no mount", { skip }, async (t) => {
  const script = [`${import.meta.dirname}/ended-create.ts`, readlinkSync("/proc/self/ns/pid")];
  const { stdout } = await promisify(execFile)("unshare", [...flags, process.execPath, ...script], {
    // Without the preparations of the test runner, which write to folders of their own.
    env: { PATH: process.env["PATH"] },
    timeout: 400_000,
    killSignal: "SIGKILL",
  });
  t.same(JSON.parse(stdout), {
    first: "the sandbox has ended",
    again: "the sandbox has been created already",
    left: [],
  });
});
