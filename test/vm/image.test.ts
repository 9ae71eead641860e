import { mkdtempSync, rmSync } from "node:fs";
import t from "tap";
import { bootGuest } from "../../scripts/boot-guest.ts";
import { whyNoVm } from "../../scripts/vm-requirements.ts";
import { layerProgram } from "./layer.ts";

// agent-api 0.5: `/var/run` resolves to a writable `/run`
t.test("the image brings what the agent and the kernel call", { skip: whyNoVm() ?? false }, async (t) => {
  const dir = mkdtempSync("/tmp/kata-image-");
  t.teardown(() => rmSync(dir, { recursive: true, force: true }));
  const { initrd } = await layerProgram(dir, "test/vm/image-guest.ts", []);
  await using guest = await bootGuest({ initrd });
  await guest.exited;
  const said = guest.console();
  t.match(said, /overlay is true/, "the kernel asked modprobe for the file system's module");
  t.match(said, /\/var\/run is \/run: true/);
  t.match(said, /modprobe ended with .*"code":0/);
  t.match(said, /virtio_scsi is true/, "a module with others that it needs");
  t.match(said, /ip ended with .*"code":0.*"ifname":"lo"/);
  t.match(said, /crun ended with .*"code":0.*crun version/);
  for (const file of ["blkid", "veritysetup", "iptables-save", "ip6tables-restore", "mkfs.ext4"]) {
    t.match(said, new RegExp(`${file} ended with .*"code":0`));
  }
  t.notMatch(said, /failed|Kernel panic/);
});
