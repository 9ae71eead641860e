import { existsSync } from "node:fs";
import { join } from "node:path";
import t from "tap";
import { buildFolder, ownArchitecture } from "../../scripts/image/architecture.ts";
import { bootOptions } from "../../scripts/image/boot-options.ts";
import { asImageKind, imageFile } from "../../scripts/image/image-kind.ts";
import { whyNoVm } from "../../scripts/vm-requirements.ts";
import { crashAgent } from "./crash-agent.ts";

const image = asImageKind(ownArchitecture(), { format: "ext4", init: "systemd" });
const root = join(import.meta.dirname, "../..");
const isMade = existsSync(imageFile(buildFolder(root, image.architecture), image));
const skip = whyNoVm() ?? (isMade ? false : "the image with systemd is not made");

// image-and-runtime 3, exit behaviour
t.test("under systemd, the guest ends when its agent crashes", { skip }, async (t) => {
  await crashAgent(t, bootOptions(image));
});
