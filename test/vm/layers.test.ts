/** Root file systems of EROFS layers, checked by dm-verity, with an overlay above them (agent-api 4.2.1). */
import { cpSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import t, { type Test } from "tap";
import { whyNoVm } from "../../scripts/vm-requirements.ts";
import type { Storage } from "../../src/gen/agent.ts";
import type { Input } from "../../src/gen/message-type.ts";
import { DeviceGuest } from "./device-guest.ts";
import { type LayerHashes, makeDisk, makeLayer, makeUpper } from "./layer-disk.ts";

const skip = whyNoVm() ?? false;
const marker = "the text of the bottom layer";

/** The images of two layers; the first lies above the second. */
function layers(folder: string): { images: string[]; hashes: LayerHashes[] } {
  const top = join(folder, "top");
  const bottom = join(folder, "bottom");
  for (const name of ["usr/bin", "proc", "sys", "dev", "tmp", "etc", "run", "data"]) {
    mkdirSync(join(bottom, name), { recursive: true });
  }
  cpSync("/bin/busybox", join(bottom, "usr/bin/busybox"));
  symlinkSync("usr/bin", join(bottom, "bin"));
  writeFileSync(join(bottom, "etc/which"), "bottom\n");
  // Whole blocks, so that nothing of it lies among the metadata of the file system.
  writeFileSync(join(bottom, "etc/text"), `${marker}\n`.repeat(1000).slice(0, 16_384));
  mkdirSync(join(top, "etc"), { recursive: true });
  writeFileSync(join(top, "etc/which"), "top\n");
  const images = [join(folder, "top.erofs"), join(folder, "bottom.erofs")];
  return { images, hashes: [makeLayer(images[0] ?? "", top), makeLayer(images[1] ?? "", bottom)] };
}

function rootOf(id: string): string {
  return `/run/kata-containers/shared/containers/${id}/rootfs`;
}

/** The storages of a group as runtime-rs sends them, on the disk behind a PCI path. */
function group(
  id: string,
  source: string,
  hashes: readonly LayerHashes[],
  ...more: string[]
): Input<Storage>[] {
  return hashes.map(({ rootHash, hashOffset, salt }, index) => ({
    driver: "blk",
    source,
    fstype: "erofs",
    mount_point: rootOf(id),
    options: [
      ...["X-kata.overlay-lower", "X-kata.multi-layer=true", "X-kata.gpt-partitioned=true"],
      ...[`X-kata.partition-number=${index + 1}`, "X-kata.dmverity-enabled=true"],
      ...[`X-kata.dmverity.roothash=${rootHash}`, `X-kata.dmverity.hashoffset=${hashOffset}`],
      ...["X-kata.dmverity.no-superblock=false", `X-kata.dmverity.salt=${salt}`],
      ...(index === 0 ? more : []),
    ],
  }));
}

t.test("layers in a guest", { skip }, async (t) => {
  await using guest = await DeviceGuest.boot(["05", "06", "07"], ["-device", "virtio-scsi-pci,id=scsi0"]);
  await guest.calls.CreateSandbox({ sandbox_id: "layers" });
  const { images, hashes } = layers(guest.folder);
  await overlays(t, guest, images, hashes);
  await upper(t, guest, hashes);
  await corrupted(t, guest, images, hashes);
  await many(t, guest, images);
  await guest.calls.DestroySandbox({});
});

const noneLeft = async (t: Test, guest: DeviceGuest) => {
  const said = await guest.run("looker", "ls /sys/block");
  t.match(said, /vda/);
  t.notMatch(said, /dm-/, "no verity device is left");
};

function overlays(t: Test, guest: DeviceGuest, images: string[], hashes: LayerHashes[]): Promise<unknown> {
  return t.test("layers lie over each other, by partition, checked, and nothing of them stays", async (t) => {
    const disk = makeDisk(join(guest.folder, "good.img"), images);
    await guest.plugDisk("good", disk, { driver: "virtio-blk-pci", bus: "port05" });
    const script =
      "cat /etc/which; head -1 /etc/text; echo new >/etc/which; cat /etc/which; ls -d /data/*; ls /sys/block";
    const directory = "X-kata.mkdir.path={{ mount 0 }}/upper/data/deep:0755";
    // The same once more: what was written the first time has gone with the container.
    for (const time of ["first", "second"]) {
      const storages = group("pod1", "05/00", hashes, directory).toReversed();
      const said = await guest.run("pod1", script, { root: rootOf("pod1"), storages });
      t.match(said, `top\n${marker}\nnew\n/data/deep\n`, time);
      t.match(said, /dm-1/, "by way of verity");
    }
    await noneLeft(t, guest);
  });
}

function upper(t: Test, guest: DeviceGuest, hashes: LayerHashes[]): Promise<unknown> {
  return t.test("what is written goes to the upper disk", async (t) => {
    const at = { driver: "scsi-hd", bus: "scsi0.0", channel: 0, "scsi-id": 0, lun: 1 };
    await guest.plugDisk("upper", makeUpper(guest.folder), at);
    const run = (id: string, script: string) => {
      const disk = { driver: "scsi", source: "0:1", fstype: "ext4", mount_point: rootOf(id) };
      const storage = { ...disk, options: ["rw", "X-kata.overlay-upper", "X-kata.multi-layer=true"] };
      return guest.run(id, script, { root: rootOf(id), storages: [...group(id, "05/00", hashes), storage] });
    };
    await run("pod2", "echo kept >/etc/which");
    t.equal(await run("pod3", "cat /etc/which"), "kept\n", "the next container finds it there");
  });
}

function corrupted(t: Test, guest: DeviceGuest, images: string[], hashes: LayerHashes[]): Promise<unknown> {
  return t.test("a layer that was changed is not believed", async (t) => {
    const disk = makeDisk(join(guest.folder, "bad.img"), images);
    const contents = readFileSync(disk);
    const at = contents.indexOf(marker);
    contents.write("a lie", at);
    writeFileSync(disk, contents);
    await guest.plugDisk("bad", disk, { driver: "virtio-blk-pci", bus: "port06" });
    const script = "cat /etc/which; head -1 /etc/text";
    const said = await guest.run("pod4", script, {
      root: rootOf("pod4"),
      storages: group("pod4", "06/00", hashes),
    });
    t.match(said, /^top$/m);
    t.match(said, /Input\/output error/);
    t.notMatch(said, /a lie/);
    const [top, bottom] = hashes;
    if (top === undefined || bottom === undefined) throw new Error("there are two layers");
    const swapped = [top, { ...bottom, rootHash: top.rootHash }];
    const create = guest.start("pod5", script, {
      root: rootOf("pod5"),
      storages: group("pod5", "05/00", swapped),
    });
    await t.rejects(create, { code: 13 }, "nor one whose hash is another");
    await noneLeft(t, guest);
  });
}

/** As many as the images of builders that keep every step apart. */
const manyLayers = 60;

function many(t: Test, guest: DeviceGuest, images: string[]): Promise<unknown> {
  return t.test(
    "more layers than a page of paths holds lie over each other, without verity too",
    async (t) => {
      const more = Array.from({ length: manyLayers }, (_none, index) => {
        const folder = join(guest.folder, `many-${index}`);
        mkdirSync(join(folder, "data"), { recursive: true });
        writeFileSync(join(folder, "data", `file${index}`), "");
        makeLayer(`${folder}.erofs`, folder);
        return `${folder}.erofs`;
      });
      const all = [...more, images[1] ?? ""];
      await guest.plugDisk("many", makeDisk(join(guest.folder, "many.img"), all), {
        driver: "virtio-blk-pci",
        bus: "port07",
      });
      const storages = all.map((_image, index) => ({
        driver: "blk",
        source: "07/00",
        fstype: "erofs",
        mount_point: rootOf("pod6"),
        options: [
          "X-kata.multi-layer=true",
          "X-kata.gpt-partitioned=true",
          `X-kata.partition-number=${index + 1}`,
        ],
      }));
      const said = await guest.run("pod6", "ls /data | wc -l; cat /etc/which", {
        root: rootOf("pod6"),
        storages,
      });
      t.equal(said, `${manyLayers}\nbottom\n`);
    },
  );
}
