import { execFileSync, spawnSync } from "node:child_process";
import { readFileSync, statSync } from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import { test } from "tap";

const script = join(import.meta.dirname, "../../scripts/namespaces.sh");
const nobody = 65534;

/** What a shell command prints inside, as root or as an ordinary user. */
function inside(command: string, uid?: number): string {
  const asUser = uid === undefined ? {} : { uid, gid: uid };
  return execFileSync(script, ["/bin/sh", "-c", command], { encoding: "utf8", cwd: "/", ...asUser }).trim();
}

const isRoot = process.getuid?.() === 0;
const users: readonly [string, number | undefined][] = isRoot
  ? [
      ["root", undefined],
      ["an ordinary user", nobody],
    ]
  : [["an ordinary user", undefined]];

for (const [who, uid] of users) {
  test(`${who} runs a command as PID 1 with only itself around`, async (t) => {
    t.equal(inside("set -- /proc/[0-9]*; echo $$ $#", uid), "1 1");
  });

  test(`${who} sees a private /dev, and the machine keeps its own`, async (t) => {
    const before = statSync("/dev/null");
    t.equal(
      inside("rm /dev/ptmx && echo x >/dev/null && ls /dev | tr '\\n' ' '", uid),
      "fd full mqueue null pts random shm stderr stdin stdout tty urandom zero",
    );
    t.equal(statSync("/dev/null").rdev, before.rdev);
    t.ok(statSync("/dev/ptmx").isCharacterDevice());
  });

  test(`${who} changes nothing of the machine's names and mounts`, async (t) => {
    const [name, mounts] = [hostname(), readFileSync("/proc/self/mountinfo", "utf8")];
    t.equal(
      inside("mount -t tmpfs tmpfs /mnt && hostname other && touch /run/new /dev/shm/new && hostname", uid),
      "other",
    );
    t.equal(hostname(), name);
    t.equal(readFileSync("/proc/self/mountinfo", "utf8"), mounts);
  });

  test(`${who} has a network of its own, with nothing but a loopback`, async (t) => {
    t.equal(inside("ls /sys/class/net", uid), "lo");
  });

  test(`${who} has control groups version 2, seen from its own root`, async (t) => {
    t.match(inside("grep ^0: /proc/self/cgroup; stat -f -c %T /sys/fs/cgroup", uid), /^0::\/\ncgroup2fs$/);
  });
}

test("the exit code of the command is that of the script", async (t) => {
  t.equal(spawnSync(script, ["/bin/sh", "-c", "exit 7"]).status, 7);
});
