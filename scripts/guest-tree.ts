import { execFileSync } from "node:child_process";
import { existsSync, globSync, realpathSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import type { CpioEntry } from "./cpio.ts";

/**
 * Reads a list such as rootfs/tree and returns the entries of the guest's root, the libraries of programs
 * included. `buildDir` is where relative sources are. Throws an Error that names the line that cannot be met.
 */
export function readTree(text: string, buildDir: string): CpioEntry[] {
  const entries = new Map<string, CpioEntry>();
  const add = (entry: CpioEntry): void => void entries.set(entry.path, entry);
  for (const line of text.split("\n")) {
    if (line.trim() === "" || line.startsWith("#")) continue;
    try {
      for (const entry of entriesOf(line, buildDir)) add(entry);
    } catch (error) {
      throw new Error(`rootfs/tree: ${line}: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
  return [...entries.values()];
}

/** Adds the folders above the entries, mode 755, where no entry names them. */
export function withFolders(entries: readonly CpioEntry[]): CpioEntry[] {
  const paths = new Map(entries.map((entry) => [entry.path, entry]));
  for (const { path } of entries) {
    for (let up = dirname(path); up !== "/"; up = dirname(up)) {
      if (!paths.has(up)) paths.set(up, { kind: "dir", path: up, mode: 0o755 });
    }
  }
  return [...paths.values()];
}

function entriesOf(line: string, buildDir: string): CpioEntry[] {
  const [kind = "", path = "", third = "", ...rest] = line.split(/\s+/);
  const mode = Number.parseInt(third, 8);
  switch (kind) {
    case "dir":
      return [{ kind, path, mode }];
    case "link":
      return [{ kind, path, mode: 0o777, target: third }];
    case "node":
      return [{ kind, path, mode, major: Number(rest[0]), minor: Number(rest[1]) }];
    case "text":
      return [{ kind: "file", path, mode, data: Buffer.from(rest.length > 0 ? `${rest.join(" ")}\n` : "") }];
    case "file":
      return [
        {
          kind,
          path,
          mode,
          source: existing(join(rest[0]?.startsWith("/") ? "/" : buildDir, rest[0] ?? "")),
        },
      ];
    case "glob":
      return matching(join(rest[0]?.startsWith("/") ? "/" : buildDir, rest[0] ?? "")).map((source) => ({
        kind: "file",
        path: path === "same" ? source : join(path, basename(source)),
        mode,
        source: realpathSync(source),
      }));
    case "exec":
      return program(path, locate(third, buildDir));
    default:
      throw new Error(`no such kind of entry: ${kind}`);
  }
}

function existing(path: string): string {
  if (!existsSync(path)) throw new Error(`${path} is missing`);
  return path;
}

function matching(pattern: string): string[] {
  const found = globSync(pattern);
  if (found.length === 0) throw new Error("nothing matches");
  return found;
}

function locate(name: string, buildDir: string): string {
  if (name.includes("/")) return existing(join(buildDir, name));
  return execFileSync("/bin/sh", ["-c", 'command -v "$0"', name], { encoding: "utf8" }).trim();
}

/** A program and, by the word of the dynamic loader, every library it needs, in its place below /usr. */
function program(path: string, source: string): CpioEntry[] {
  const entries: CpioEntry[] = [{ kind: "file", path, mode: 0o755, source: realpathSync(source) }];
  for (const library of librariesOf(source)) {
    const place = library.startsWith("/usr/") ? library : join("/usr", library);
    entries.push({ kind: "file", path: place, mode: 0o755, source: realpathSync(library) });
  }
  return entries;
}

function librariesOf(source: string): string[] {
  const listed = execFileSync("ldd", [source], { encoding: "utf8" });
  const missing = /^\s*(\S+) => not found/m.exec(listed);
  if (missing) throw new Error(`${source} needs ${missing[1]}, which is not on this machine`);
  return [...listed.matchAll(/(\/\S+) \(0x/g)].map((match) => match[1] ?? "");
}
