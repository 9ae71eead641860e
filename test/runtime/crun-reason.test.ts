import { test } from "tap";
import { crunReason } from "../../src/runtime/crun-reason.ts";

test("crun's reason is told in words of ours, without a word of the request", async (t) => {
  const cases = [
    [undefined, "silent"],
    ["executable file `secret` not found in $PATH: No such file or directory", "program-not-found ENOENT"],
    ["mount `secret` to `/secret`: Operation not permitted", "mount EPERM"],
    ["write to `/sys/fs/cgroup/secret/memory.max`: Invalid argument", "cgroup EINVAL"],
    ["secret", "other"],
    ["secret: No space left on device", "other ENOSPC"],
  ] as const;
  for (const [complaint, reason] of cases) t.equal(crunReason(complaint), reason);
});
