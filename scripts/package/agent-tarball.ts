// Makes the tarball that osbuilder takes as AGENT_TARBALL: build/kata-agent-<version>-<machine>.tar.zst.
//
//   node scripts/package/agent-tarball.ts [ARCHITECTURE]
//
// WITH names what it brings of what the distribution has too: crun, iproute2, or none. The same build gives the same
// bytes. docs/osbuilder.md says what osbuilder does with it.
import { join } from "node:path";
import { version } from "../../src/base/version.ts";
import { asArchitecture, buildFolder, ownArchitecture, traitsOf } from "../image/architecture.ts";
import { licensedContents } from "../image/guest-contents.ts";
import { placeLicences } from "../image/guest-licences.ts";
import { prepareGuestPrograms } from "../image/guest-programs.ts";
import { systemRoot } from "../image/system-root.ts";
import { carriedEntries, type Extra, extras } from "./carried-entries.ts";
import { packTarball } from "./pack-tarball.ts";

const root = join(import.meta.dirname, "../..");
const say = (line: string): void => void process.stdout.write(`agent-tarball: ${line}\n`);

function wanted(words: string | undefined): Extra[] {
  if (words === undefined || words.trim() === "") return [...extras];
  if (words.trim() === "none") return [];
  return words.trim().split(/\s+/).map(asExtra);
}

function asExtra(word: string): Extra {
  const found = extras.find((extra) => extra === word);
  if (found === undefined) throw new Error(`WITH=${word}: not one of ${extras.join(", ")}, none`);
  return found;
}

const architecture = process.argv[2] ? asArchitecture(process.argv[2]) : ownArchitecture();
const build = buildFolder(root, architecture);
const extra = wanted(process.env["WITH"]);
const system = systemRoot(architecture, say);
prepareGuestPrograms(system, say);
await placeLicences(system, [...licensedContents("agent", system), ...licensedContents("systemd", system)]);
const entries = carriedEntries({ architecture, build, system: system.path }, extra);
const file = join(root, "build", `kata-agent-${version}-${traitsOf(architecture).machine}.tar.zst`);
const bytes = packTarball(file, entries);
const left = extras.filter((each) => !extra.includes(each));
say(
  `${file.slice(root.length + 1)} ${(bytes / 1e6).toFixed(1)} MB, with ${["the agent", ...extra].join(", ")}`,
);
if (left.length > 0)
  say(`without ${left.join(", ")}: EXTRA_PKGS="${left.join(" ")}" brings the distribution's`);
