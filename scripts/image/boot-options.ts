import { statSync } from "node:fs";
import { join } from "node:path";
import type { GuestOptions } from "../boot-guest.ts";
import { buildTarget } from "../target.ts";
import { type ImageKind, imageFile } from "./image-kind.ts";

const projectDir = join(import.meta.dirname, "../..");

/** What the runtimes add for any image (image-and-runtime 2.1 row 7); an agent that is init does not mind. */
const systemdWords = [
  "systemd.unit=kata-containers.target systemd.show_status=false",
  "systemd.mask=systemd-networkd.service systemd.mask=systemd-networkd.socket",
].join(" ");

/**
 * How a built image is booted with Debian's kernel: as a runtime shows it to a guest, with the kernel parameters that the
 * runtime passes for its kind (image-and-runtime 2.1), and through the small initrd where it is a disk. `place` is another
 * image of that kind than our own.
 */
export function bootOptions(kind: ImageKind, place?: string): GuestOptions {
  const { architecture } = kind;
  const { out: build } = buildTarget(projectDir, architecture);
  const file = place ?? imageFile(build, kind);
  const kernel = join(build, "guest/vmlinuz");
  if (kind.format === "initrd" || kind.format === "cpio")
    return { architecture, kernel, initrd: file, append: kind.init === "systemd" ? systemdWords : "" };
  const words = [`root=${kind.dax ? "/dev/pmem0p1" : "/dev/vda1"}`, ...mountWords(kind), systemdWords];
  return {
    architecture,
    kernel,
    initrd: join(build, "guest/boot.cpio"),
    append: words.join(" "),
    options: kind.dax ? asMemory(file) : asDisk(file),
  };
}

function mountWords({ format, dax }: ImageKind): string[] {
  const flags = format === "ext4" ? ["data=ordered,errors=remount-ro"] : [];
  if (dax) flags.unshift("dax");
  const rootflags = flags.length > 0 ? [`rootflags=${flags.join(",")}`] : [];
  return [...rootflags, "ro", `rootfstype=${format}`];
}

const asDisk = (file: string): string[] => [
  ...["-drive", `if=none,id=root,file=${file},format=raw,readonly=on`],
  ...["-device", "virtio-blk-pci,drive=root"],
];

/** As persistent memory: QEMU adds these to what the command line has said of machine and memory. */
const asMemory = (file: string): string[] => [
  ...["-machine", "nvdimm=on", "-m", "slots=2,maxmem=8G"],
  ...["-object", `memory-backend-file,id=root,mem-path=${file},size=${statSync(file).size},readonly=on`],
  ...["-device", "nvdimm,id=nv0,memdev=root,unarmed=on"],
];
