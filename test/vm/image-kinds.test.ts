import { execFile } from "node:child_process";
import { existsSync, statSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import t from "tap";
import { bootGuest } from "../../scripts/boot-guest.ts";
import { buildFolder, ownArchitecture } from "../../scripts/image/architecture.ts";
import { bootOptions } from "../../scripts/image/boot-options.ts";
import { asImageKind, type ImageKind, imageFile, imageName } from "../../scripts/image/image-kind.ts";
import { whyNoVm } from "../../scripts/vm-requirements.ts";
import { playDemo, strayCalls } from "../fakes/play-demo.ts";

const root = join(import.meta.dirname, "../..");
const agentctl = join(root, "build/agentctl");
const kind = (format: string, init: string, dax = false): ImageKind =>
  asImageKind(ownArchitecture(), { format, init, dax });

/** What a packed initrd may take: each start of a guest reads and unpacks it. */
const maxPackedBytes = 60e6;

/** prepare-vm makes one kind of disk and the packed initrd; the others are for who asks for them. */
function whyNot(image: ImageKind): string | false {
  const made = existsSync(imageFile(buildFolder(root, image.architecture), image));
  return whyNoVm() ?? (made ? false : `${imageName(image)} is not made: make test-vm-images`);
}

// image-and-runtime 2.1: with the parameters that the runtime passes for an image on a virtio disk
for (const init of ["systemd", "agent"]) {
  const image = kind("ext4", init);
  const skip = whyNot(image);
  t.test(`a pod runs in ${imageName(image)} and its trace arrives whole`, { skip }, async (t) => {
    const words = init === "systemd" ? ["ext4", "systemd"] : ["ext4"];
    const played = await playDemo("vm", ...words);
    t.match(played.text, /16 steps, all as expected/);
    t.match(played.text, /QEMU ended by itself with 0/, "the guest switched itself off");
    t.equal(played.traces.length, 1);
    t.match(played.traces[0], { missingParentCount: 0, errorCount: 0 });
    t.same(strayCalls(played), []);
  });
}

// image-and-runtime 1.4, 1.5, 2.1 rows 2a to 2e
for (const image of [
  kind("initrd", "agent"),
  kind("initrd", "systemd"),
  kind("ext4", "agent", true),
  kind("ext4", "systemd", true),
  kind("erofs", "agent"),
  kind("erofs", "systemd"),
  kind("erofs", "agent", true),
]) {
  t.test(`the agent serves in ${imageName(image)}`, { skip: whyNot(image) }, async (t) => {
    if (image.format === "initrd" && image.init === "agent")
      t.ok(
        statSync(imageFile(buildFolder(root, image.architecture), image)).size <= maxPackedBytes,
        "its size",
      );
    await using guest = await bootGuest(bootOptions(image));
    await guest.listening();
    const ctl = async (...words: string[]): Promise<string> => {
      const given = ["--addr", guest.address(1024), "--wait", "300s", ...words];
      return (await promisify(execFile)(agentctl, given)).stdout;
    };
    t.match(await ctl("check"), /serving/i);
    const { agent_details } = JSON.parse(await ctl("--json", "details"));
    t.match(agent_details, { init_daemon: image.init === "agent" });
    await ctl("destroy-sandbox");
    t.notMatch(guest.console(), /Kernel panic|agent crashed|cannot be mounted/);
  });
}
