import { AgentError } from "../base/agent-error.ts";
import { Code } from "../base/code.ts";
import type { LinuxCapabilities, Process } from "../gen/oci.ts";
import type { OciCapabilities, OciProcess } from "../runtime/oci.ts";
import { list, present, text } from "./present.ts";

/**
 * The process section of a request as the OCI document has it (agent-api 3.3.3).
 * Environment values pass byte for byte. `oomScoreFloor` is the lowest `oom_score_adj` that can be given here.
 * @throws INTERNAL for no arguments, or an environment entry without `=` or without a name.
 */
export function ociProcess(process: Process, oomScoreFloor = -1000): OciProcess {
  if (process.Args.length === 0) throw new AgentError(Code.internal, "process has no arguments");
  for (const entry of process.Env) {
    if (entry.indexOf("=") < 1) throw new AgentError(Code.internal, "environment entry is not NAME=value");
  }
  const size = process.ConsoleSize;
  return present<OciProcess>({
    terminal: process.Terminal,
    consoleSize: size === undefined ? undefined : { height: size.Height, width: size.Width },
    user: {
      uid: process.User?.UID ?? 0,
      gid: process.User?.GID ?? 0,
      additionalGids: process.User?.AdditionalGids ?? [],
    },
    args: process.Args,
    env: process.Env,
    cwd: process.Cwd === "" ? "/" : process.Cwd,
    capabilities: process.Capabilities === undefined ? undefined : ociCapabilities(process.Capabilities),
    rlimits: list(process.Rlimits.map(({ Type, Hard, Soft }) => ({ type: Type, hard: Hard, soft: Soft }))),
    noNewPrivileges: process.NoNewPrivileges,
    // 0 is written out: left away, crun would let the process inherit the agent's own score.
    oomScoreAdj: Math.max(oomScoreFloor, Number(process.OOMScoreAdj)),
    selinuxLabel: text(process.SelinuxLabel),
  });
}

function ociCapabilities(sets: LinuxCapabilities): OciCapabilities {
  return {
    bounding: sets.Bounding.map(capability),
    effective: sets.Effective.map(capability),
    inheritable: sets.Inheritable.map(capability),
    permitted: sets.Permitted.map(capability),
    ambient: sets.Ambient.map(capability),
  };
}

/** Callers send names with or without `CAP_`, some of them quoted as JSON. crun refuses what it does not know. */
function capability(name: string): string {
  const bare = name.replace(/^"(.*)"$/, "$1").toUpperCase();
  return bare.startsWith("CAP_") ? bare : `CAP_${bare}`;
}
