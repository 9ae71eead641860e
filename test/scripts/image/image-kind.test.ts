import { test } from "tap";
import { asImageKind, imageName } from "../../../scripts/image/image-kind.ts";

test("each kind of image has a file of its own", async (t) => {
  const names = [
    {},
    { format: "cpio" },
    { init: "systemd" },
    { format: "ext4" },
    { format: "ext4", dax: true },
    { format: "ext4", init: "systemd" },
    { format: "erofs", init: "systemd", dax: true },
  ].map((words) => imageName(asImageKind("amd64", words)));
  t.same(names, [
    "initrd.cpio.gz",
    "initrd.cpio",
    "initrd-systemd.cpio.gz",
    "ext4.img",
    "ext4-dax.img",
    "ext4-systemd.img",
    "erofs-systemd-dax.img",
  ]);
});

test("a word that is none is named with those there are", async (t) => {
  t.throws(() => asImageKind("amd64", { format: "xfs" }), /no format xfs, only initrd, cpio, ext4 and erofs/);
  t.throws(() => asImageKind("amd64", { init: "openrc" }), /no init openrc, only agent and systemd/);
  t.throws(() => asImageKind("amd64", { dax: true }), /for file systems/);
});
