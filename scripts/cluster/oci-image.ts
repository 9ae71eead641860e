/**
 * Container images in the layout of the OCI image specification, without a container engine and without a base image:
 * a layer, its configuration, a manifest, an index, each named by the SHA-256 of its bytes. The same input gives the
 * same bytes: sorted, owned by root, and of one time.
 */
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { chmodSync, copyFileSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { gzipSync } from "node:zlib";
import type { Architecture } from "../image/architecture.ts";
import type { TreeEntry } from "../image/guest-tree.ts";

/** What an image is. */
export type Image = {
  /** As a container runtime names it: `docker.io/library/name:tag`. */
  readonly reference: string;
  readonly architecture: Architecture;
  readonly entries: readonly TreeEntry[];
  readonly entrypoint: readonly string[];
  readonly labels: Readonly<Record<string, string>>;
  /** Seconds since 1970 that everything bears. */
  readonly epoch: number;
};

type Blob = { readonly mediaType: string; readonly digest: string; readonly size: number };

const media = "application/vnd.oci.image";
const maxLayerBytes = 1 << 30;

/** Writes the image as a tar archive with an OCI layout, the form in which it is imported; `work` is a folder to work in. */
export function writeImage(image: Image, work: string, archive: string): void {
  const layout = join(work, "layout");
  mkdirSync(join(layout, "blobs/sha256"), { recursive: true });
  const layer = tarOf(join(work, "root"), image);
  const created = new Date(image.epoch * 1000).toISOString();
  const config = {
    created,
    architecture: image.architecture,
    os: "linux",
    config: { Entrypoint: image.entrypoint, WorkingDir: "/", Labels: image.labels },
    rootfs: { type: "layers", diff_ids: [digestOf(layer)] },
    history: [{ created, comment: "one layer" }],
  };
  const manifest = {
    schemaVersion: 2,
    mediaType: `${media}.manifest.v1+json`,
    config: addBlob(layout, `${media}.config.v1+json`, bytesOf(config)),
    layers: [addBlob(layout, `${media}.layer.v1.tar+gzip`, gzipSync(layer))],
    annotations: image.labels,
  };
  const annotations = {
    "io.containerd.image.name": image.reference,
    "org.opencontainers.image.ref.name": image.reference.replace(/^.*:/, ""),
  };
  const described = addBlob(layout, manifest.mediaType, bytesOf(manifest));
  const index = {
    schemaVersion: 2,
    mediaType: `${media}.index.v1+json`,
    manifests: [{ ...described, annotations }],
  };
  writeFileSync(join(layout, "index.json"), bytesOf(index));
  writeFileSync(join(layout, "oci-layout"), bytesOf({ imageLayoutVersion: "1.0.0" }));
  execFileSync("tar", [...tarFlags(image.epoch), "-cf", archive, "-C", layout, "."]);
}

const digestOf = (bytes: Uint8Array): string => `sha256:${createHash("sha256").update(bytes).digest("hex")}`;
const bytesOf = (value: object): Buffer => Buffer.from(JSON.stringify(value));

function addBlob(layout: string, mediaType: string, bytes: Uint8Array): Blob {
  const digest = digestOf(bytes);
  writeFileSync(join(layout, "blobs", digest.replace(":", "/")), bytes);
  return { mediaType, digest, size: bytes.length };
}

function tarFlags(epoch: number): string[] {
  return ["--sort=name", `--mtime=@${epoch}`, "--owner=0", "--group=0", "--numeric-owner", "--format=gnu"];
}

/** The layer: entries laid out below `root`, and packed. */
function tarOf(root: string, { entries, epoch }: Image): Buffer {
  mkdirSync(root, { recursive: true, mode: 0o755 });
  for (const entry of entries) lay(root, entry);
  const packed = execFileSync("tar", [...tarFlags(epoch), "-cf", "-", "-C", root, "."], {
    maxBuffer: maxLayerBytes,
  });
  rmSync(root, { recursive: true });
  return packed;
}

/** @throws Error for what has no place in an image. */
function lay(root: string, entry: TreeEntry): void {
  const path = join(root, entry.path);
  mkdirSync(dirname(path), { recursive: true, mode: 0o755 });
  if (entry.kind === "link") symlinkSync(entry.target, path);
  else if (entry.kind === "dir") mkdirSync(path, { recursive: true });
  else if (entry.kind === "file" && "source" in entry) copyFileSync(entry.source, path);
  else throw new Error(`${entry.path}: no ${entry.kind} in an image`);
  // A link has no mode of its own.
  if (entry.kind !== "link") chmodSync(path, entry.mode);
}
