import { test } from "tap";
import { deviceOf, fileSystemOf } from "../../src/sys/file-system-of.ts";
import { parseMountInfo } from "../../src/sys/mount-info.ts";

const mounts = parseMountInfo(`
1 0 8:1 / / rw - ext4 /dev/vda1 rw
2 1 0:30 / /run rw - tmpfs tmpfs rw
3 2 0:40 / /run/shared rw - virtiofs kataShared rw
4 2 0:40 /box/rootfs /run/box/rootfs rw - virtiofs kataShared rw
5 2 0:50 / /run/over/rootfs rw - overlay overlay rw,lowerdir=/run/upper:/run/shared/layer,upperdir=/run/u,workdir=/run/w
6 2 0:51 / /run/odd rw - overlay overlay rw,lowerdir=/proc/self/fd/9/lower-0
7 2 0:52 / /run/self rw - overlay overlay rw,lowerdir=/run/self/below
8 2 0:60 / /run/shared rw - fuse dead rw
`);

test("a path names the file system that it leads into, by the table of mounts alone", async (t) => {
  const expected = {
    "/": "8:1",
    "/etc/passwd": "8:1",
    "/run": "0:30",
    "/running": "8:1",
    "/run/box/rootfs/etc": "0:40",
    "/run/shared/x": "0:60",
    "/run/over/rootfs/etc": "0:60",
    "/run/odd/etc": "0:51",
    "/run/self/x": "0:52",
    "ext4 of /dev/vdb": "ext4 of /dev/vdb",
  };
  for (const [path, device] of Object.entries(expected)) t.equal(deviceOf(path, mounts), device, path);
});

test("our own table is asked", async (t) => {
  t.match(fileSystemOf("/proc/self"), /^\d+:\d+$/);
  t.not(fileSystemOf("/proc/self"), fileSystemOf("/"));
});
