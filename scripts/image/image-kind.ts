import { join } from "node:path";
import type { Architecture } from "./architecture.ts";
import type { FileSystem } from "./file-system.ts";
import type { Init } from "./guest-contents.ts";

/** One of the ways a guest's root can be had. */
export type ImageKind = {
  readonly architecture: Architecture;
  readonly init: Init;
  /** `initrd`: compressed as Kata's kernels take it. `cpio`: only as it is, which emulated guests boot faster. */
  readonly format: FileSystem | "initrd" | "cpio";
  /** With the header for NVDIMM; only for file systems. */
  readonly dax: boolean;
};

/** Name of the file that an image of this kind becomes, such as `ext4-systemd-dax.img` or `initrd.cpio.gz`. */
export function imageName({ init, format, dax }: ImageKind): string {
  const isDisk = format === "ext4" || format === "erofs";
  const words = [isDisk ? format : "initrd", ...(init === "systemd" ? [init] : []), ...(dax ? ["dax"] : [])];
  const ending = { initrd: "cpio.gz", cpio: "cpio", ext4: "img", erofs: "img" }[format];
  return `${words.join("-")}.${ending}`;
}

/** Where an image of this kind lies below the build folder of its architecture. */
export function imageFile(build: string, kind: ImageKind): string {
  return join(build, "guest", imageName(kind));
}

/** Reads the words of a command line. Throws an Error that names the words there are. */
export function asImageKind(
  architecture: Architecture,
  { format = "initrd", init = "agent", dax = false }: { format?: string; init?: string; dax?: boolean },
): ImageKind {
  if (format !== "initrd" && format !== "cpio" && format !== "ext4" && format !== "erofs")
    throw new Error(`no format ${format}, only initrd, cpio, ext4 and erofs`);
  if (init !== "agent" && init !== "systemd") throw new Error(`no init ${init}, only agent and systemd`);
  if (dax && (format === "initrd" || format === "cpio"))
    throw new Error("the NVDIMM header is for file systems, ext4 or erofs");
  return { architecture, init, format, dax };
}
