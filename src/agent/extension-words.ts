import type { Extension } from "../storage/extension.ts";
import { cmdlineWords } from "./options/options.ts";

const keyPattern = /^kata\.extension\.([A-Za-z0-9_-]{1,64})\.verity_params$/;
/** More than any guest has; the host is not to be able to keep the boot busy. */
const maxExtensions = 32;

/**
 * The extensions that a command line names (agent-api 1.3): `kata.extension.<name>.verity_params`, bare or with a value.
 * Names become paths, so those that are none are passed over.
 */
export function extensionWords(cmdline: string): Extension[] {
  const named: Extension[] = [];
  for (const [key, values] of cmdlineWords(cmdline)) {
    const [, name] = keyPattern.exec(key) ?? [];
    if (name === undefined) continue;
    const verityParams = values.findLast((value) => typeof value === "string") ?? "";
    named.push({ name, verityParams: String(verityParams) });
  }
  return named.slice(0, maxExtensions);
}
