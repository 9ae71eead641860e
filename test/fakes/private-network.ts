import { execFileSync } from "node:child_process";

const marker = "TEST_NETWORK_IS_PRIVATE";

/**
 * Starts the test file that calls this over in a network namespace of its own, as root or as an ordinary user: what
 * it makes there is gone when it ends, and the machine's network is out of reach. To be called first of all.
 */
export function enterPrivateNetwork(): void {
  if (process.env[marker] !== undefined) return;
  const map = process.getuid?.() === 0 ? [] : ["--map-root-user"];
  const command = [process.execPath, ...process.execArgv, ...process.argv.slice(1)];
  const env = { ...process.env, [marker]: "1" };
  process.execve?.("/usr/bin/unshare", ["unshare", ...map, "--net", "--", ...command], env);
}

/** Runs `ip` and gives what it prints. */
export function ip(...args: readonly string[]): string {
  return execFileSync("ip", args, { encoding: "utf8", env: { PATH: "/usr/sbin:/sbin:/usr/bin:/bin" } });
}
