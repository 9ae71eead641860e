import { AgentError } from "../base/agent-error.ts";
import { Code } from "../base/code.ts";

/** Every capability of capabilities(7), without `CAP_`. */
const known = new Set(
  (
    "CHOWN DAC_OVERRIDE DAC_READ_SEARCH FOWNER FSETID KILL SETGID SETUID SETPCAP LINUX_IMMUTABLE NET_BIND_SERVICE " +
    "NET_BROADCAST NET_ADMIN NET_RAW IPC_LOCK IPC_OWNER SYS_MODULE SYS_RAWIO SYS_CHROOT SYS_PTRACE SYS_PACCT " +
    "SYS_ADMIN SYS_BOOT SYS_NICE SYS_RESOURCE SYS_TIME SYS_TTY_CONFIG MKNOD LEASE AUDIT_WRITE AUDIT_CONTROL SETFCAP " +
    "MAC_OVERRIDE MAC_ADMIN SYSLOG WAKE_ALARM BLOCK_SUSPEND AUDIT_READ PERFMON BPF CHECKPOINT_RESTORE"
  ).split(" "),
);

/**
 * The name of a capability as the OCI document has it. Callers send names with or without `CAP_`, some of them quoted
 * as JSON (agent-api 3.3.3).
 * @throws INTERNAL for one that nobody knows: crun would leave it away without a word.
 */
export function capability(name: string): string {
  const upper = name.replace(/^"(.*)"$/, "$1").toUpperCase();
  const bare = upper.startsWith("CAP_") ? upper.slice("CAP_".length) : upper;
  if (!known.has(bare)) throw new AgentError(Code.internal, "unknown capability");
  return `CAP_${bare}`;
}
