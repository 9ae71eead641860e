import { execFileSync } from "node:child_process";

/**
 * Options by which mmdebstrap gets out as this machine's apt does: it has its own apt, which knows nothing of the
 * machine's proxies.
 */
export function aptOptions(): string[] {
  const said = execFileSync("apt-config", ["dump"], { encoding: "utf8" });
  const proxies = said
    .split("\n")
    .filter((line) => /^Acquire::(http|https)::(.*::)?Proxy.* ".+";$/i.test(line));
  return proxies.map((setting) => `--aptopt=${setting}`);
}
