import { AgentError } from "../base/agent-error.ts";
import { Code } from "../base/code.ts";
import type { LinuxDevice, LinuxDeviceCgroup } from "../gen/oci.ts";
import type { OciDevice, OciDeviceRule } from "../runtime/oci.ts";
import { present, text } from "./present.ts";

const permissionBits = 0o7777;
/** Character, unbuffered character, block, pipe; the OCI document's "type". */
const deviceTypes = new Set(["c", "u", "b", "p"]);
const ruleTypes = new Set(["", "a", "b", "c", "u", "p"]);
/** What fits into the kernel's `dev_t`. */
const maxMajor = 2n ** 12n - 1n;
const maxMinor = 2n ** 20n - 1n;

/**
 * A device of the spec as the OCI document has it (agent-api 3.3.3); mode 0 is for `withGuestModes` to fill in.
 * @throws INTERNAL unless it lies below `/dev` and has a type and numbers that the kernel knows (agent-api 3.3.11
 *   step 3): crun would make whatever is named wherever it is named, or another device for numbers that do not fit.
 */
export function ociDevice({ Path, Type, Major, Minor, FileMode, UID, GID }: LinuxDevice): OciDevice {
  if (!isBelowDev(Path)) throw new AgentError(Code.internal, "path of a device is not below /dev");
  if (!deviceTypes.has(Type)) throw new AgentError(Code.internal, "unknown device type");
  if (Type !== "p" && !isNumber(Major, Minor)) throw new AgentError(Code.internal, "no such device number");
  return present<OciDevice>({
    path: Path,
    type: Type,
    major: Major,
    minor: Minor,
    fileMode: FileMode & permissionBits,
    uid: UID,
    gid: GID,
  });
}

/**
 * A rule of the spec about devices. On the wire 0 and absent are the same: a wildcard, and so are negative numbers
 * (agent-api 3.3.3). @throws INTERNAL for a type or an access that is none (agent-api 10.1).
 */
export function ociDeviceRule({ Allow, Type, Major, Minor, Access }: LinuxDeviceCgroup): OciDeviceRule {
  if (!ruleTypes.has(Type)) throw new AgentError(Code.internal, "unknown type in a device rule");
  if (!/^[rwm]{0,3}$/.test(Access)) throw new AgentError(Code.internal, "unknown access in a device rule");
  if (Major > maxMajor || Minor > maxMinor)
    throw new AgentError(Code.internal, "no such device number in a rule");
  return present<OciDeviceRule>({
    allow: Allow,
    type: text(Type),
    major: Major > 0n ? Major : undefined,
    minor: Minor > 0n ? Minor : undefined,
    access: text(Access),
  });
}

function isBelowDev(path: string): boolean {
  const [dev, ...below] = path.split("/").filter((name) => name !== "" && name !== ".");
  return (
    path.startsWith("/") && dev === "dev" && below.length > 0 && !below.includes("..") && !path.includes("\0")
  );
}

function isNumber(major: bigint, minor: bigint): boolean {
  return major >= 0n && major <= maxMajor && minor >= 0n && minor <= maxMinor;
}
