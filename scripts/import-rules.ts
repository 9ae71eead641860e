import { existsSync } from "node:fs";
import { dirname, join, normalize } from "node:path";
import type { Facts, Import } from "./read-imports.ts";

/** One room of `src/`: what it may import. Whatever is not named is not allowed. */
export type Room = {
  /** Rooms it may import from. */
  readonly imports: readonly string[];
  /** Rooms of which it may import types only. */
  readonly types?: readonly string[];
  /** npm packages it may import; types are free. */
  readonly packages?: readonly string[];
  /** Folders below the room; there is no third level. */
  readonly folders?: readonly string[];
};

/** An effect that only some places may have. `open` lists those places, or `shut` the places that may not. */
export type Door = {
  readonly effect: string;
  readonly modules?: readonly string[];
  readonly globals?: readonly string[];
  readonly open?: readonly string[];
  readonly shut?: readonly string[];
};

/** The import table, `.imports.json`. */
export type Table = { readonly rooms: Readonly<Record<string, Room>>; readonly doors: readonly Door[] };

type Files = ReadonlyMap<string, Facts>;

/**
 * Judges the files of `src/` by the table. `files` maps paths such as `src/base/exit.ts` to what they import.
 * Returns one line per violation, in the order of the files.
 */
export function judge(root: string, table: Table, files: Files): string[] {
  const found: string[] = [];
  for (const [path, facts] of files) {
    found.push(...placeFaults(table, path));
    for (const one of facts.imports) found.push(...importFaults(root, table, path, one));
    for (const { name, line } of facts.globals) {
      for (const door of table.doors) {
        if (door.globals?.includes(name) && !isOpen(door, path)) {
          found.push(`${path}:${line} uses ${name}: ${door.effect} belongs to ${places(door)}`);
        }
      }
    }
  }
  return [...found, ...cycles(files)];
}

const roomOf = (path: string): string => path.split("/")[1] ?? "";

function placeFaults(table: Table, path: string): string[] {
  const parts = path.split("/");
  const room = table.rooms[roomOf(path)];
  if (parts.length === 2 || !room) return [`${path} is in no room of the table`];
  const found: string[] = [];
  if (parts.length > 4) found.push(`${path} is too deep: src/room/folder/file.ts is the limit`);
  const folder = parts[2] ?? "";
  if (parts.length === 4 && !room.folders?.includes(folder)) {
    found.push(`${path} is in a folder that room ${roomOf(path)} does not have in the table`);
  }
  if (parts.at(-1) === "index.ts") found.push(`${path}: no index files, import the file you mean`);
  return found;
}

function importFaults(root: string, table: Table, path: string, one: Import): string[] {
  const at = `${path}:${one.line} imports ${one.specifier}`;
  if (one.specifier.startsWith(".")) return ownFaults(root, table, path, one);
  if (one.specifier === "(computed)")
    return [`${path}:${one.line} imports a computed name, which nobody can check`];
  if (one.typeOnly) return [];
  if (one.specifier.startsWith("node:")) {
    return table.doors
      .filter((door) => door.modules?.some((name) => name === one.specifier || name === "node:*"))
      .filter((door) => !isOpen(door, path))
      .slice(0, 1)
      .map(
        (door) =>
          `${at}: ${door.effect} ${door.open ? `belongs to ${places(door)}` : `is not for ${places(door)}`}`,
      );
  }
  const name = one.specifier.split("/", one.specifier.startsWith("@") ? 2 : 1).join("/");
  if (table.rooms[roomOf(path)]?.packages?.includes(name)) return [];
  return [`${at}: room ${roomOf(path)} may not import package ${name}`];
}

function ownFaults(root: string, table: Table, path: string, one: Import): string[] {
  const target = resolve(path, one.specifier);
  const at = `${path}:${one.line} imports ${target}`;
  if (!target.startsWith("src/")) return [`${at}: nothing outside src/ may be imported`];
  if (!existsSync(join(root, target))) return [`${at}: no such file`];
  const [from, to] = [roomOf(path), roomOf(target)];
  if (from === to) return [];
  const room = table.rooms[from];
  if (room?.imports.includes(to)) return [];
  if (room?.types?.includes(to)) {
    return one.typeOnly ? [] : [`${at}: room ${from} may import only types from ${to}`];
  }
  return [`${at}: room ${from} may not import ${to}`];
}

function isOpen(door: Door, path: string): boolean {
  if (door.open) return door.open.some((place) => path.startsWith(place));
  return !door.shut?.some((place) => path.startsWith(place));
}

const places = (door: Door): string => (door.open ?? door.shut ?? []).join(", ");

const resolve = (path: string, specifier: string): string => normalize(join(dirname(path), specifier));

/** Every file that closes a ring of imports, type imports included, as one line per ring. */
function cycles(files: Files): string[] {
  const found: string[] = [];
  const state = new Map<string, "open" | "done">();
  const trail: string[] = [];
  const visit = (path: string): void => {
    if (state.get(path) === "done") return;
    if (state.get(path) === "open") {
      const ring = [...trail.slice(trail.indexOf(path)), path];
      found.push(`${ring.join(" → ")}: these files import each other in a ring`);
      return;
    }
    state.set(path, "open");
    trail.push(path);
    for (const { specifier } of files.get(path)?.imports ?? []) {
      if (specifier.startsWith(".")) visit(resolve(path, specifier));
    }
    trail.pop();
    state.set(path, "done");
  };
  for (const path of files.keys()) visit(path);
  return found;
}
