import { realpath } from "node:fs/promises";
import { dirname } from "node:path";
import { AgentError } from "../base/agent-error.ts";
import { Code } from "../base/code.ts";
import { guestPaths } from "../base/guest-paths.ts";

const slashes = /\/+/g;
const trailingSlash = /(.)\/$/;

/**
 * Below the share the host makes links as it likes (agent-api 10.1): what is made there must be where its name says,
 * so what is there of the way to it must hold no link, and nothing is made behind one. `path`: absolute, without `..`.
 * @throws INTERNAL; system errors but ENOENT.
 */
export async function mustNotLeadOut(path: string): Promise<void> {
  let place = path.replace(slashes, "/").replace(trailingSlash, "$1");
  for (; place.startsWith(`${guestPaths.share}/`); place = dirname(place)) {
    const real = await realpath(place).catch(ifMissing);
    if (real === place) return;
    if (real !== undefined) throw new AgentError(Code.internal, "mount point leads over a link");
  }
}

function ifMissing(error: NodeJS.ErrnoException): undefined {
  if (error.code !== "ENOENT") throw error;
}
