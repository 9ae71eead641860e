import { AgentError } from "../base/agent-error.ts";
import { Code } from "../base/code.ts";

/** IFNAMSIZ without the NUL. */
const maxNameBytes = 15;
/**
 * What the kernel refuses (`/`, `:`, blanks) or takes for a pattern (`%`), and what the batch language of `ip` would
 * read as quotes, escapes or comments.
 */
const allowed = /^[!-~]+$/;
const refused = /[/:%"'\\#]/;
const hardware = /^[0-9a-f]{1,2}(?::[0-9a-f]{1,2}){5}$/i;

/** Checks the name of a network interface that came in a request; `what` names it in the error. @throws INTERNAL. */
export function linkName(text: string, what = "interface name"): string {
  const sound =
    text.length <= maxNameBytes &&
    allowed.test(text) &&
    !refused.test(text) &&
    !text.startsWith("-") &&
    text !== "." &&
    text !== "..";
  if (!sound) throw new AgentError(Code.internal, `${what} is invalid`);
  return text;
}

/**
 * Checks a hardware address of six bytes that came in a request; `what` names it in the error.
 * @returns it as `ip` prints it: small letters, two digits each. @throws INTERNAL.
 */
export function hardwareAddress(text: string, what = "hardware address"): string {
  if (!hardware.test(text)) throw new AgentError(Code.internal, `${what} is invalid`);
  return text
    .toLowerCase()
    .split(":")
    .map((byte) => byte.padStart(2, "0"))
    .join(":");
}
