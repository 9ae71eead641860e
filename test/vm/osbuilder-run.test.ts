import { globSync } from "node:fs";
import { basename, join } from "node:path";
import t from "tap";
import { ownArchitecture } from "../../scripts/image/architecture.ts";
import { bootOptions } from "../../scripts/image/boot-options.ts";
import { asImageKind, type ImageKind } from "../../scripts/image/image-kind.ts";
import { whyNoVm } from "../../scripts/vm-requirements.ts";
import { crashAgent } from "./crash-agent.ts";
import { doMainJob } from "./main-job.ts";

const folder = join(import.meta.dirname, "../../build/osbuilder");
// All at once take longer than a file of tests may: `make osbuilder-run` does one root after the other.
const which = process.env["OSBUILDER_ROOT"] ?? "*-{yes,no}";
const made = globSync(`${which}{.initrd,.img,-erofs.img,-plain.img}`, { cwd: folder }).sort();
const skip = whyNoVm() ?? false;

// The root of a distribution, unpacked in memory beside its archive, and a pod.
const memoryMb = 2048;

/** The kind of image by its name: `debian-yes-erofs.img`. */
function kindOf(name: string): ImageKind {
  const [, agentInit, which] = basename(name, ".img").split("-");
  const init = agentInit?.startsWith("yes") ? "agent" : "systemd";
  const isInitrd = name.endsWith(".initrd");
  const format = isInitrd ? "initrd" : which === "erofs" ? "erofs" : "ext4";
  return asImageKind(ownArchitecture(), { format, init, dax: !isInitrd && which !== "plain" });
}

if (made.length === 0)
  t.test(
    "what osbuilder makes",
    { skip: "make osbuilder-run KATA=… makes the guests" },
    async () => undefined,
  );

// image-and-runtime 1.3 to 1.5, 2.1 rows 2a to 2e, 3
for (const name of made) {
  t.test(`${name} of osbuilder boots, does the main job and switches itself off`, { skip }, async (t) => {
    const kind = kindOf(name);
    const said = await doMainJob(t, { ...bootOptions(kind, join(folder, name)), memoryMb });
    t.match(said, kind.init === "agent" ? /"role":"machine-init"/ : /"role":"service"/);
    t.match(said, /shutdown complete[\s\S]*Power down/);
    t.notMatch(said, /Kernel panic|agent crashed|boot step failed/);
  });
}

// image-and-runtime 3
for (const name of made.filter((file) => file.endsWith("-no.img"))) {
  t.test(`${name} of osbuilder ends when its agent crashes`, { skip }, async (t) => {
    await crashAgent(t, { ...bootOptions(kindOf(name), join(folder, name)), memoryMb });
  });
}
