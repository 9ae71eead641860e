import { constants } from "node:fs";
import { writeFile } from "node:fs/promises";

/**
 * Writes an attribute of sysfs. Opened for writing alone: one that cannot be read, such as `unbind` or `scan`, cannot be
 * opened for both, not even by root. Never created: one that is not there must fail. @throws system errors.
 */
export function writeAttribute(path: string, text: string): Promise<void> {
  return writeFile(path, text, { flag: constants.O_WRONLY });
}
