import { spawnSync } from "node:child_process";
import { existsSync, globSync, readFileSync, statSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { parse as parseToml } from "smol-toml";
import { parseAllDocuments } from "yaml";
import { type Block, isKnownWorld, type Link, readPage } from "./page.ts";

/**
 * What can be said of a page without running it: each block says what it is, each command is either run by the tests or
 * says why not, configurations parse, links lead somewhere.
 */

const root = join(import.meta.dirname, "../..");

/** A block of another kind than commands, and what its text has to be. */
const readers: Readonly<Record<string, (text: string) => unknown>> = {
  toml: parseToml,
  yaml: parseYaml,
  json: (text) => JSON.parse(text),
  text: () => undefined,
  rego: () => undefined,
  ini: () => undefined,
};
/** A configuration says whose it is, so that the tests can have it read. */
const configurations = new Set(["toml", "yaml"]);

/** All pages, as paths from the repository's root. */
export function allPages(): string[] {
  return globSync(["*.md", "{docs,rootfs,deploy}/**/*.md"], { cwd: root }).toSorted();
}

/** Pages of docs/, and what lies beside the README, that its map does not lead to; one line for each. */
export function pagesOffTheMap(paths: readonly string[], readme: string): string[] {
  const [, map = ""] = readme.split("## Map\n");
  return paths
    .filter((path) => /^(docs\/)?[^/]+$/.test(path) && path !== "README.md" && !map.includes(`(${path})`))
    .map((path) => `${path}: the map in README.md does not lead to it`);
}

/** What is wrong with the page `path` (from the repository's root) when it has this text; one line for each fault. */
export function pageFaults(path: string, text: string): string[] {
  const page = readPage(text);
  return [
    ...page.indented.map((line) => `${path}:${line}: an indented block: put it between fences`),
    ...page.blocks.flatMap((block) => blockFaults(block).map((fault) => `${path}:${block.line}: ${fault}`)),
    ...page.links.flatMap((link) =>
      linkFaults(path, link, page.anchors).map((fault) => `${path}:${link.line}: ${fault}`),
    ),
  ];
}

function blockFaults(block: Block): string[] {
  const { language, mark, text } = block;
  if (language === "sh") return commandFaults(block);
  const read = readers[language];
  if (read === undefined) {
    const known = ["sh", ...Object.keys(readers)].join(", ");
    return [`a block of ${language || "no language"}: known are ${known}`];
  }
  if (configurations.has(language) && (mark?.kind !== "read by" || mark.text === ""))
    return [`a block of ${language} without <!-- read by: WHOM --> above it`];
  try {
    read(text);
    return [];
  } catch (error) {
    return [`no good ${language}: ${(error as Error).message.split("\n", 1)[0]}`];
  }
}

function commandFaults({ text, mark }: Block): string[] {
  const isWorld = mark?.kind === "run in" && isKnownWorld(mark.text);
  if (mark !== undefined && !isWorld && (mark.kind !== "not run" || mark.text === ""))
    return [
      "commands are run, or have <!-- not run: WHY -->, <!-- run in: cluster --> or <!-- run in: node --> above them",
    ];
  const shell = spawnSync("sh", ["-n"], { input: text, encoding: "utf8" });
  const mayOpen = mark?.kind === "not run" || mark?.text === "node";
  const vsock = !mayOpen && /vsock:\/\/|--vsock/.test(text.replaceAll("hvsock://", ""));
  return [
    ...(shell.status === 0 ? [] : [`no good shell: ${shell.stderr.trim()}`]),
    ...(/^\$ /m.test(text) ? ["commands have no prompt"] : []),
    ...(vsock ? ["commands that would open an AF_VSOCK socket have to be marked as not run"] : []),
    ...[...text.matchAll(/^\s*make ([a-z][a-z-]*)/gm)].flatMap(([, verb = ""]) =>
      makeVerbs().has(verb) ? [] : [`make has no verb ${verb}`],
    ),
  ];
}

let verbs: ReadonlySet<string> | undefined;
function makeVerbs(): ReadonlySet<string> {
  const rules = () => readFileSync(join(root, "Makefile"), "utf8").matchAll(/^([a-z][a-z0-9-]*):/gm);
  verbs ??= new Set([...rules()].map(([, verb = ""]) => verb));
  return verbs;
}

function parseYaml(text: string): void {
  for (const document of parseAllDocuments(text)) {
    const [error] = document.errors;
    if (error !== undefined) throw error;
  }
}

function linkFaults(path: string, { target }: Link, own: ReadonlySet<string>): string[] {
  if (/^(https?|mailto):/.test(target)) return [];
  const [file = "", anchor] = target.split("#");
  const to = join(root, dirname(path), decodeURI(file));
  if (file !== "" && !existsSync(to)) return [`a link to ${target}, which is not there`];
  if (anchor === undefined) return [];
  if (file !== "" && (!file.endsWith(".md") || statSync(to).isDirectory()))
    return [`a link to a section of ${relative(root, to)}, which is no page`];
  const anchors = file === "" ? own : readPage(readFileSync(to, "utf8")).anchors;
  return anchors.has(anchor) ? [] : [`a link to ${target}: that page has no such heading`];
}
