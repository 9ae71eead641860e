import { readSync } from "node:fs";
import { constants } from "node:os";
import { test } from "tap";
import { closeFd, makePipe } from "../../src/sys/pipe.ts";
import { candidatePaths, type SpawnRequest, spawn, spawnAside } from "../../src/sys/spawn.ts";
import { openDescriptors } from "./open-descriptors.ts";

const env = { PATH: "/usr/bin:/bin" };
const quiet = ["null", "null", "null"] as const;
const { SIGKILL, SIGTERM } = constants.signals;

function shell(script: string, more: Partial<SpawnRequest> = {}): SpawnRequest {
  return { file: "sh", args: ["-c", script], env, stdio: quiet, ...more };
}

function readAll(fd: number): string {
  const parts: Buffer[] = [];
  const part = Buffer.alloc(4096);
  for (let got = readSync(fd, part); got > 0; got = readSync(fd, part))
    parts.push(Buffer.from(part.subarray(0, got)));
  closeFd(fd);
  return Buffer.concat(parts).toString();
}

async function outputOf(script: string, more: Partial<SpawnRequest> = {}): Promise<string> {
  const { readEnd, writeEnd } = makePipe();
  const child = spawn(shell(script, { stdio: ["null", writeEnd, writeEnd], ...more }));
  closeFd(writeEnd);
  const text = readAll(readEnd);
  await child.exited;
  return text;
}

test("the exit code of a program is delivered", async (t) => {
  t.same(await spawn(shell("exit 7")).exited, { how: "exited", code: 7 });
});

test("a death by signal is told apart from an exit", async (t) => {
  t.same(await spawn(shell("kill -TERM $$")).exited, { how: "signaled", signal: SIGTERM });
});

test("40 programs started aside at once each have their own output and exit", async (t) => {
  const started = Array.from({ length: 40 }, async (_, n) => {
    const { readEnd, writeEnd } = makePipe();
    const stdio = ["null", writeEnd, "null"] as const;
    const child = await spawnAside(shell(`echo ${n}; exit ${n}`, { stdio }));
    closeFd(writeEnd);
    const exit = await child.exited;
    return { said: readAll(readEnd), exit };
  });
  t.same(
    await Promise.all(started),
    Array.from({ length: 40 }, (_, n) => ({ said: `${n}\n`, exit: { how: "exited", code: n } })),
  );
});

test("a signal reaches the child, and after its end there is nobody to reach", async (t) => {
  const child = spawn(shell("exec sleep 60"));
  t.equal(child.signal(SIGKILL), true);
  t.same(await child.exited, { how: "signaled", signal: SIGKILL });
  t.equal(child.signal(SIGKILL), false);
});

for (const [request, code, syscall] of [
  [{ file: "/nonexistent/program" }, "ENOENT", "execve"],
  [{ file: "no-such-program" }, "ENOENT", "execve"],
  [{ file: "/etc/passwd" }, "EACCES", "execve"],
  [{ file: "true", cwd: "/nonexistent" }, "ENOENT", "chdir"],
  [{ file: "true", stdio: [9999, "null", "null"] }, "EBADF", "dup2"],
  [{ file: "true", controllingTerminal: true }, "ENOTTY", "ioctl"],
] as const) {
  test(`${JSON.stringify(request)} fails with ${code} of ${syscall} and leaves nothing`, async (t) => {
    const before = openDescriptors();
    t.throws(() => spawn({ args: [], env, stdio: quiet, ...request }), { code, syscall });
    await t.rejects(spawnAside({ args: [], env, stdio: quiet, ...request }), { code, syscall });
    t.equal(openDescriptors(), before);
    t.end();
  });
}

test("descriptors arrive in their places", async (t) => {
  const pipes = Array.from({ length: 4 }, makePipe);
  const [a, b, c, d] = pipes.map((pipe) => pipe.writeEnd) as [number, number, number, number];
  const script = "echo zero >&0; echo one >&1; echo two >&2; echo three >&3";
  const child = spawn(shell(script, { stdio: [d, c, b], extraFds: [a] }));
  for (const pipe of pipes) closeFd(pipe.writeEnd);
  await child.exited;
  t.same(
    pipes.map((pipe) => readAll(pipe.readEnd)),
    ["three\n", "two\n", "one\n", "zero\n"],
  );
});

test("a program may swap its own standard descriptors for its child", async (t) => {
  const [a, b] = [makePipe(), makePipe()];
  const program = spawn({
    file: process.execPath,
    args: [`${import.meta.dirname}/swap-stdio.ts`],
    env,
    stdio: [a.writeEnd, b.writeEnd, "null"],
  });
  for (const pipe of [a, b]) closeFd(pipe.writeEnd);
  t.same(await program.exited, { how: "exited", code: 0 });
  t.same([readAll(a.readEnd), readAll(b.readEnd)], ["one\n", "zero\n"]);
});

test("nothing else is inherited", async (t) => {
  const extra = makePipe();
  // Descriptor 3 is that of ls itself, which reads the folder.
  t.same((await outputOf("exec ls /proc/self/fd")).trim().split("\n"), ["0", "1", "2", "3"]);
  closeFd(extra.readEnd);
  closeFd(extra.writeEnd);
});

test("signal dispositions and mask are those of a fresh process", async (t) => {
  const status = await outputOf("exec cat /proc/self/status");
  t.match(status, /^SigBlk:\s0+$/m);
  t.match(status, /^SigIgn:\s0+$/m, "SIGPIPE, which Node ignores, is back to default");
});

test("the environment and the working folder are those of the request", async (t) => {
  const text = await outputOf('echo "$GREETING $PWD $HOME"', {
    env: { ...env, GREETING: "hello" },
    cwd: "/tmp",
  });
  t.equal(text, "hello /tmp \n");
});

test("a new session has the child as its leader", async (t) => {
  const text = await outputOf("echo $$; cut -d' ' -f6 /proc/self/stat", { newSession: true });
  const [leader, session] = text.trim().split("\n");
  t.equal(session, leader);
});

test("200 children leave no descriptor and no zombie", async (t) => {
  await spawn(shell("exit 0")).exited;
  const before = openDescriptors();
  for (let round = 0; round < 20; round++)
    await Promise.all(Array.from({ length: 10 }, () => spawn(shell("exit 0")).exited));
  t.equal(openDescriptors(), before);
});

test("a name is looked up in PATH, a path is taken as it is", (t) => {
  t.same(candidatePaths("./x", "/a"), ["./x"]);
  t.same(candidatePaths("x", "/a::/b"), ["/a/x", "./x", "/b/x"]);
  t.ok(candidatePaths("x").includes("/usr/sbin/x"));
  t.end();
});
