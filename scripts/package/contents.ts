import { globSync } from "node:fs";
import { basename, join } from "node:path";
import { gzipSync } from "node:zlib";
import { completionFiles, manualPages } from "./manual.ts";
import type { Release } from "./release.ts";
import type { Placed } from "./stage.ts";

/** Where the programs were built, with a Node without its symbols in `guest/`; and the text of the third parties. */
export type Made = { readonly build: string; readonly thirdParty: string };

const lib = "lib/kata-agent-node";
const doc = "share/doc/kata-agent-node";

/** Everything below a prefix such as /usr, from a finished build. */
export function contents(root: string, made: Made, release: Release): Placed[] {
  return [
    ...programs(made.build),
    ...libraries(made.build),
    ...service(root),
    ...manual(release),
    ...documents(root, made),
  ];
}

/** The configuration, which lies below /etc whatever the prefix. */
export function configuration(root: string): Placed[] {
  return [file("etc/kata-trace-forwarder/forwarder.toml", join(root, "deploy/node/forwarder.toml"))];
}

function file(path: string, source: string, mode = 0o644): Placed {
  return { path, mode, content: { copyOf: source } };
}

function programs(build: string): Placed[] {
  return ["agentctl", "kata-agent", "kata-trace-forwarder"].map((name) =>
    file(`bin/${name}`, join(build, name), 0o755),
  );
}

/** All that the launchers need, as it lies in build/lib; the bundler's lists of licences are in the text for all. */
function libraries(build: string): Placed[] {
  const executable = new Set(["kata-hook"]);
  const beside = globSync("lib/*.{js,cjs,cache,node,html}", { cwd: build });
  return [
    file(`${lib}/node`, join(build, "guest/node"), 0o755),
    ...[...beside, "lib/kata-hook"].sort().map((path) => {
      const name = basename(path);
      return file(`${lib}/${name}`, join(build, path), executable.has(name) ? 0o755 : 0o644);
    }),
  ];
}

function service(root: string): Placed[] {
  const unit = "kata-trace-forwarder.service";
  return [file(`lib/systemd/system/${unit}`, join(root, "deploy/node", unit))];
}

/** Where each shell looks. */
const completions: Readonly<Record<string, string>> = {
  bash: "share/bash-completion/completions",
  zsh: "share/zsh/vendor-completions",
  fish: "share/fish/vendor_completions.d",
};

function manual({ name, version, dateS }: Release): Placed[] {
  const day = new Date(dateS * 1000).toISOString().slice(0, 10);
  const pages = manualPages({ source: `${name} ${version}`, day });
  return [
    ...pages.map(({ kind, name: page, text }) => ({
      path: `share/man/${kind}/${page}.gz`,
      mode: 0o644,
      content: gzipSync(text, { level: 9 }),
    })),
    ...completionFiles().map(({ kind, name: script, text }) => ({
      path: `${completions[kind]}/${script}`,
      mode: 0o644,
      content: text,
    })),
  ];
}

/** Where Debian looks for it. */
const copyright = `kata-agent-node is under the Apache License, version 2.0: the file LICENSE in this folder, on Debian also
/usr/share/common-licenses/Apache-2.0. Node.js and the packages by others that are part of it, with their licences:
THIRD-PARTY.txt.gz in this folder.
`;

function documents(root: string, { thirdParty }: Made): Placed[] {
  const pages = globSync("docs/*.md", { cwd: root }).sort();
  return [
    file(`${doc}/LICENSE`, join(root, "LICENSE")),
    { path: `${doc}/copyright`, mode: 0o644, content: copyright },
    file(`${doc}/README.md`, join(root, "README.md")),
    file(`${doc}/CHANGELOG.md`, join(root, "CHANGELOG.md")),
    ...pages.map((path) => file(`${doc}/${path}`, join(root, path))),
    { path: `${doc}/THIRD-PARTY.txt.gz`, mode: 0o644, content: gzipSync(thirdParty, { level: 9 }) },
  ];
}
