import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { AgentError } from "../base/agent-error.ts";

const sysctlRoot = "/proc/sys";

/** True for a parameter of the network, which all containers share with the guest. */
export function isNetworkSysctl(name: string): boolean {
  return name.startsWith("net.");
}

/** The file of a checked parameter name; a slash in it stands for a dot within one part, as in sysctl(8). */
export function sysctlFile(name: string): string {
  const parts = name.split(".").map((part) => part.replaceAll("/", "."));
  return join(sysctlRoot, ...parts);
}

/** Writes the parameters of the network; those that the kernel does not have are skipped. @throws INTERNAL. */
export async function writeNetworkSysctls(sysctl: Readonly<Record<string, string>>): Promise<void> {
  for (const [name, value] of Object.entries(sysctl)) {
    if (!isNetworkSysctl(name)) continue;
    try {
      await writeFile(sysctlFile(name), value, { flag: "r+" });
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "ENOENT") continue;
      throw AgentError.from(error, "write a network sysctl");
    }
  }
}
