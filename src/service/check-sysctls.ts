import { AgentError } from "../base/agent-error.ts";
import { Code } from "../base/code.ts";

const ipcNames = new Set(
  "msgmax msgmnb msgmni sem shmall shmmax shmmni shm_rmid_forced".split(" ").map((name) => `kernel.${name}`),
);
/** Parts between dots; a slash stands for a dot within a name, such as that of a VLAN. */
const cleanName = /^[\w-]+(?:[./][\w@:-]+)+$/;

/**
 * Holds the kernel parameters of a container to those that end with it or are the pod's (agent-api 3.3.8).
 * `namespaces` are the types that the spec lists.
 * @throws INTERNAL for any other, and for one whose namespace is not listed.
 */
export function checkSysctls(names: readonly string[], namespaces: ReadonlySet<string>): void {
  for (const name of names) {
    const needs = cleanName.test(name) ? namespaceOf(name) : undefined;
    if (needs === undefined) throw new AgentError(Code.internal, "sysctl is not allowed in a container");
    if (needs !== "network" && !namespaces.has(needs)) {
      throw new AgentError(Code.internal, `sysctl needs a namespace of its own: ${needs}`);
    }
  }
}

/** `network`, which is the guest's for every container, is always there. */
function namespaceOf(name: string): "ipc" | "uts" | "network" | undefined {
  if (ipcNames.has(name) || name.startsWith("fs.mqueue.")) return "ipc";
  if (name === "kernel.domainname") return "uts";
  return name.startsWith("net.") ? "network" : undefined;
}
