/**
 * What of others is in the packages, and the licences that go with it. One text for all, since the same licence stands in
 * dozens of packages: a table of the parts, then every text once, with whose it is.
 */
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { bundledPackages } from "./bundled-packages.ts";
import type { Component } from "./component.ts";
import { crates } from "./crates.ts";

/**
 * All parts by others of what was built into `build`, or of the programs that `entryPoints` begin. Throws an Error when a
 * licence cannot be found.
 */
export async function thirdParties(
  root: string,
  build: string,
  entryPoints?: readonly string[],
): Promise<Component[]> {
  const engine = existsSync(join(build, "lib/policy.node"));
  return [
    nodeItself(root),
    libc(),
    ...(await bundledPackages(root, entryPoints)),
    ...(engine ? crates(join(root, "src/sys/policy-engine")) : []),
  ];
}

/** Node's licence holds those of V8, libuv, OpenSSL and of everything else in it. */
function nodeItself(root: string): Component {
  const { node: version } = process.versions;
  const name = `node-linux-${process.arch}`;
  const cache = join(root, ".cache/node-licence");
  const find = () =>
    ["node_modules/node/node_modules", "node_modules", ".cache/node-licence/node_modules"]
      .map((place) => join(root, place, name, "LICENSE"))
      .find((file) => existsSync(file));
  if (find() === undefined) {
    // npm may have left nothing of that package but the program.
    mkdirSync(cache, { recursive: true });
    const flags = ["--no-save", "--no-package-lock", "--ignore-scripts", "--no-audit", "--prefix", cache];
    execFileSync("npm", ["install", ...flags, `${name}@${version}`], {
      stdio: ["ignore", "ignore", "inherit"],
    });
  }
  const file = find();
  if (file === undefined) throw new Error(`no licence in ${name}@${version}`);
  return {
    kind: "node",
    name: "Node.js",
    version,
    licence: "MIT",
    texts: [readFileSync(file, "utf8").trim()],
  };
}

const lgpl = "/usr/share/common-licenses/LGPL-2.1";

/** The launchers and the runner of hooks are static. */
function libc(): Component {
  const version = execFileSync("getconf", ["GNU_LIBC_VERSION"], { encoding: "utf8" }).replace(/^glibc /, "");
  return {
    kind: "libc",
    name: "glibc",
    version: version.trim(),
    licence: "LGPL-2.1-or-later",
    texts: existsSync(lgpl) ? [readFileSync(lgpl, "utf8").trim()] : [],
  };
}

/** The text that goes with the packages. */
export function thirdPartyText(components: readonly Component[]): string {
  const rows = components.map(({ kind, name, version, licence }) =>
    [kind.padEnd(6), `${name} ${version}`.padEnd(44), licence].join(" ").trimEnd(),
  );
  const owners = new Map<string, string[]>();
  for (const { name, texts } of components)
    for (const text of texts) owners.set(text, [...(owners.get(text) ?? []), name]);
  const chapters = [...owners].map(([text, names]) => `${line}\n${names.join(", ")}\n${line}\n\n${text}\n`);
  const kinds = new Set(components.map(({ kind }) => kind));
  const legend = Object.entries(meanings).filter(([kind]) => [...kinds].some((each) => each === kind));
  const explained = legend.map(([kind, meaning]) => `${kind.padEnd(7)} ${meaning}`);
  return [head, ...explained, "", ...rows, "", chapters.join("\n")].join("\n");
}

const line = "=".repeat(80);
const head = `What of others is in these programs. kata-agent-node itself: Apache License 2.0, in the file LICENSE.
`;
const meanings: Readonly<Record<Component["kind"], string>> = {
  npm: "in the bundles, the page and the packages beside them (lib/kata-agent-node/*.js, *.cjs, *.html)",
  crate: "in the policy engine (lib/kata-agent-node/policy.node)",
  node: "lib/kata-agent-node/node",
  libc: `linked into the static programs (bin/*, lib/kata-agent-node/kata-hook): they are made again with another one by
        "make build" from the sources of kata-agent-node`,
  debian: `programs, libraries and kernel modules of the distribution, as its packages have them; crun is compiled, of the
        same source and with the libraries of these packages. Debian's archive has the source that a line ends with`,
};
