import { AgentError } from "../base/agent-error.ts";
import { Code } from "../base/code.ts";
import type { LinuxCapabilities, POSIXRlimit, Process, User } from "../gen/oci.ts";
import type { OciCapabilities, OciProcess, OciRlimit } from "../runtime/oci.ts";
import { capability } from "./capability.ts";
import { list, present, text } from "./present.ts";

/** The limits of getrlimit(2) as the OCI document spells them. */
const limits = new Set(
  "AS CORE CPU DATA FSIZE LOCKS MEMLOCK MSGQUEUE NICE NOFILE NPROC RSS RTPRIO RTTIME SIGPENDING STACK"
    .split(" ")
    .map((name) => `RLIMIT_${name}`),
);

/** -1 as the kernel's setresuid(2) and setresgid(2) know it. */
const noId = 0xffff_ffff;

/**
 * The process section of a request as the OCI document has it (agent-api 3.3.3).
 * Environment values pass byte for byte. `oomScoreFloor` is the lowest `oom_score_adj` that can be given here.
 * @throws INTERNAL for no arguments, an environment entry without `=` or without a name, an unknown capability or
 *   limit, a user or group that is none.
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
    user: ociUser(process.User),
    args: process.Args,
    env: process.Env,
    cwd: process.Cwd === "" ? "/" : process.Cwd,
    capabilities: process.Capabilities === undefined ? undefined : ociCapabilities(process.Capabilities),
    rlimits: list(process.Rlimits.map(ociRlimit)),
    noNewPrivileges: process.NoNewPrivileges,
    // 0 is written out: left away, crun would let the process inherit the agent's own score.
    oomScoreAdj: Math.max(oomScoreFloor, Number(process.OOMScoreAdj)),
    selinuxLabel: text(process.SelinuxLabel),
  });
}

/** @throws INTERNAL for the id that means "leave it" to the kernel: the process would stay root. */
function ociUser(user: User | undefined): OciProcess["user"] {
  const { UID: uid = 0, GID: gid = 0, AdditionalGids: additionalGids = [] } = user ?? {};
  if ([uid, gid, ...additionalGids].includes(noId))
    throw new AgentError(Code.internal, "user or group is none");
  return { uid, gid, additionalGids };
}

function ociRlimit({ Type, Hard, Soft }: POSIXRlimit): OciRlimit {
  if (!limits.has(Type)) throw new AgentError(Code.internal, "unknown resource limit");
  return { type: Type, hard: Hard, soft: Soft };
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
