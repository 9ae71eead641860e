// Makes container images for the nodes of a cluster, in build/image: the forwarder, and, where the guest has been made
// (make rootfs), one that puts the guest onto a node:
//   node scripts/cluster/images.ts
// `docker load -i`, `ctr -n k8s.io images import` and `skopeo copy oci-archive:…` take them.
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
} from "node:fs";
import { join } from "node:path";
import { version } from "../../src/base/version.ts";
import { ownArchitecture } from "../image/architecture.ts";
import { readTree } from "../image/guest-tree.ts";
import { stripNode } from "../image/strip-node.ts";
import { ownSystemRoot } from "../image/system-root.ts";
import { writeImage } from "./oci-image.ts";

const root = join(import.meta.dirname, "../..");
const build = join(root, "build");
const out = join(build, "image");
/** 1 January 2026, as in the guest. */
const epoch = 1_767_225_600;
const architecture = ownArchitecture();
const say = (line: string): void => void process.stdout.write(`image: ${line}\n`);

/** It takes its place when it is whole: a pod that starts meanwhile has the old guest or the new one. */
const copyGuest = 'cp /guest/initrd.img "$0/.initrd.img" && mv "$0/.initrd.img" "$0/initrd.img"';

type Wanted = {
  readonly name: string;
  readonly tree: string;
  readonly title: string;
  readonly entrypoint: string[];
};

const forwarder: Wanted = {
  name: "kata-agent-node",
  tree: "forwarder.tree",
  title: "Trace forwarder for Kata guests",
  entrypoint: ["/usr/bin/kata-trace-forwarder"],
};
const guest: Wanted = {
  name: "kata-agent-node-guest",
  tree: "guest.tree",
  title: "Kata guest with kata-agent-node, and what copies it",
  entrypoint: ["/bin/busybox", "sh", "-c", copyGuest],
};

function make({ name, tree, title, entrypoint }: Wanted, system: string): void {
  const archive = join(out, `${name}-${version}-${architecture}.oci.tar`);
  const work = mkdtempSync(join(out, `.${name}-`));
  try {
    const text = readFileSync(join(root, "deploy/image", tree), "utf8");
    const labels = {
      "org.opencontainers.image.title": title,
      "org.opencontainers.image.version": version,
      "org.opencontainers.image.licenses": "Apache-2.0",
    };
    const entries = readTree(text, { architecture, build, system }, tree);
    const reference = `docker.io/library/${name}:${version}`;
    writeImage({ reference, architecture, entries, entrypoint, labels, epoch }, work, join(work, "archive"));
    renameSync(join(work, "archive"), archive);
    say(`${archive.slice(root.length + 1)}, ${(statSync(archive).size / 1e6).toFixed(1)} MB`);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

mkdirSync(out, { recursive: true });
stripNode(build);
const { path } = ownSystemRoot(say);
make(forwarder, path);
// As Kata's kernels take it, or, where only tests have made one, as it is.
const initrds = ["initrd.cpio.gz", "initrd.cpio"].map((name) => join(build, "guest", name));
const initrd = initrds.find((file) => existsSync(file));
if (initrd !== undefined) {
  copyFileSync(initrd, join(out, "initrd"));
  make(guest, path);
} else say("without the guest, which is not there (make rootfs)");
