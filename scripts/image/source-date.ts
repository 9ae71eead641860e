import { execFileSync } from "node:child_process";
import { fixedTimeS } from "./cpio.ts";

/**
 * The time that files of an image bear, seconds since 1970: `SOURCE_DATE_EPOCH` (reproducible-builds.org), else when
 * the last commit of `root` was made, so that the same sources give the same bytes.
 */
export function sourceDateS(root: string): number {
  const told = Number(process.env["SOURCE_DATE_EPOCH"]);
  if (Number.isSafeInteger(told) && told > 0) return told;
  try {
    const said = execFileSync("git", ["log", "-1", "--format=%ct"], {
      cwd: root,
      encoding: "utf8",
      stdio: ["ignore", "pipe", "ignore"],
    });
    return Number(said) || fixedTimeS;
  } catch {
    // Sources that came without their history.
    return fixedTimeS;
  }
}
