import { statSync } from "node:fs";
import { basename } from "node:path";
import { bytesOf } from "./file-system.ts";
import type { MadeImage } from "./make-image.ts";
import { type Origin, originFinder } from "./origin.ts";

const megabytes = (bytes: number): string => (bytes / 1e6).toFixed(2);

function nameOf(origin: Origin): string {
  if (origin.kind === "debian") return `${origin.package.name} ${origin.package.version}`;
  return origin.kind;
}

/**
 * What each megabyte of an image is, as a Markdown page: by origin (Debian package, Node, agent …), then every file.
 * The same image gives the same text.
 */
export function sizeReport({ file, entries, system }: MadeImage): string {
  const originOf = originFinder(system);
  const rows = entries.map((entry) => ({
    path: entry.path,
    bytes: bytesOf(entry),
    origin: nameOf(originOf(entry)),
  }));
  const groups = new Map<string, { bytes: number; files: number }>();
  for (const { origin, bytes } of rows) {
    const group = groups.get(origin) ?? { bytes: 0, files: 0 };
    groups.set(origin, { bytes: group.bytes + bytes, files: group.files + 1 });
  }
  const total = rows.reduce((sum, { bytes }) => sum + bytes, 0);
  const bySize = [...groups].sort(([a, one], [b, other]) => other.bytes - one.bytes || (a < b ? -1 : 1));
  const files = rows
    .filter(({ bytes }) => bytes > 0)
    .sort((a, b) => b.bytes - a.bytes || (a.path < b.path ? -1 : 1));
  return [
    `# What ${basename(file)} holds`,
    "",
    `The image has ${megabytes(statSync(file).size)} MB, its ${rows.length} files and folders ${megabytes(total)} MB.`,
    "",
    "| from | MB | entries |",
    "|---|---|---|",
    ...bySize.map(([name, group]) => `| ${name} | ${megabytes(group.bytes)} | ${group.files} |`),
    "",
    "| file | MB | from |",
    "|---|---|---|",
    ...files.map(({ path, bytes, origin }) => `| ${path} | ${megabytes(bytes)} | ${origin} |`),
    "",
  ].join("\n");
}
