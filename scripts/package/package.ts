// Makes what is installed on a node, from a finished build, into build/release/:
//
//   kata-agent-node-<version>-linux-<arch>.tar.zst   one folder with bin, lib, share and etc; works wherever it lies
//   kata-agent-node_<version>_<arch>.deb             the same below /usr, with the configuration in /etc
//   THIRD-PARTY.txt                                  what of others is in both, and the licences
//
// `--arch amd64|arm64` packs what was built for that architecture. The same build makes the same bytes:
// SOURCE_DATE_EPOCH, else the last commit, gives the time of every file.
import { mkdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { stripNode } from "../image/strip-node.ts";
import { buildTarget, wantedArchitecture } from "../target.ts";
import { mayShip } from "./component.ts";
import { configuration, contents } from "./contents.ts";
import { packDeb } from "./deb.ts";
import { packFolder } from "./pack-folder.ts";
import { describeRelease, packageNames } from "./release.ts";
import { type Placed, stage } from "./stage.ts";
import { thirdParties, thirdPartyText } from "./third-party.ts";

const root = join(import.meta.dirname, "../..");
const out = join(root, "build/release");
const architecture = wantedArchitecture(process.argv);
const { out: build, strip } = buildTarget(root, architecture);
const release = describeRelease(root, architecture, process.env);
const { top, tarball, deb } = packageNames(release);

async function thirdPartyFile(): Promise<string> {
  const components = await thirdParties(root, build);
  const refused = components.filter(({ licence }) => !mayShip(licence));
  if (refused.length > 0)
    throw new Error(
      `not to be shipped: ${refused.map(({ name, licence }) => `${name} (${licence})`).join(", ")}`,
    );
  const text = thirdPartyText(components);
  writeFileSync(join(out, "THIRD-PARTY.txt"), text);
  return text;
}

function makeTarball(files: readonly Placed[]): string {
  const file = join(out, tarball);
  stage(join(out, top), [...files, ...configuration(root)], release.dateS);
  packFolder(out, top, file, release.dateS);
  rmSync(join(out, top), { recursive: true });
  return file;
}

function makeDeb(files: readonly Placed[]): string {
  const file = join(out, deb);
  const below = files.map((each) => ({ ...each, path: `usr/${each.path}` }));
  const folder = join(out, "deb");
  packDeb(
    {
      files: [...below, ...configuration(root)],
      meta: join(root, "deploy/node/debian"),
      folder,
      file,
    },
    release,
  );
  rmSync(folder, { recursive: true });
  return file;
}

mkdirSync(out, { recursive: true });
stripNode(build, strip);
const made = { build, thirdParty: await thirdPartyFile() };
const files = contents(root, made, release);
for (const path of [makeTarball(files), makeDeb(files)])
  process.stdout.write(`${path} (${(statSync(path).size / 1e6).toFixed(1)} MB)\n`);
