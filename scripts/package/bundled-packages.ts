import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { build } from "esbuild";
import { pinoWithoutTransports } from "../late-modules.ts";
import { programs } from "../programs.ts";
import type { Component } from "./component.ts";

const licenceFile = /^(licen[cs]e|copying|notice)/i;

const everything: readonly string[] = [...programs.map(({ entry }) => entry), "src/page/main.tsx"];

/**
 * The npm packages whose code is in what is bundled of `entryPoints`, mostly all programs and the page, by the bundler's own
 * account of what it reads.
 */
export async function bundledPackages(root: string, entryPoints = everything): Promise<Component[]> {
  const { metafile } = await build({
    absWorkingDir: root,
    entryPoints: [...entryPoints],
    outdir: "build/nothing-is-written",
    write: false,
    metafile: true,
    bundle: true,
    platform: "node",
    mainFields: ["module", "main"],
    external: ["*.node"],
    jsx: "automatic",
    jsxImportSource: "preact",
    loader: { ".css": "empty" },
    plugins: [pinoWithoutTransports],
    logLevel: "silent",
  });
  const folders = new Set(Object.keys(metafile.inputs).flatMap((input) => packageFolder(input) ?? []));
  const found = [...folders].map((folder) => describe(join(root, folder)));
  // npm keeps copies of one version in several places.
  const unique = new Map(found.map((each) => [`${each.name} ${each.version}`, each]));
  return [...unique.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** `node_modules/@a/b` of a path inside it. */
function packageFolder(input: string): string | undefined {
  return /^.*node_modules\/(@[^/]+\/)?[^/]+(?=\/)/.exec(input)?.[0];
}

function describe(folder: string): Component {
  const { name, version, license } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
  return { kind: "npm", name, version, licence: String(license), texts: licenceTexts(folder) };
}

/** What the files of a folder say whose names are those of licences. */
export function licenceTexts(folder: string): readonly string[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isFile() && licenceFile.test(entry.name))
    .map(({ name }) => readFileSync(join(folder, name), "utf8").trim())
    .sort();
}
