import { test } from "tap";
import { containerId } from "../../src/base/ids.ts";
import { withLayersApart } from "../../src/storage/layer-group.ts";
import type { Storage } from "../../src/storage/storage.ts";

// agent-api 4.2.1
const pod = containerId("pod1");
const work = "W";
/** Where a group is mounted has a part that nobody can foresee. */
const workPath = /^\/run\/kata-containers\/pod1\/multi-layer-[0-9a-f]{16}/;
const short = (path: string) => path.replace(workPath, work);
const target = "/run/kata-containers/shared/containers/pod1/rootfs";

function storage(more: Partial<Storage>): Storage {
  return {
    driver: "scsi",
    driverOptions: [],
    source: "0:0",
    fstype: "erofs",
    options: ["X-kata.multi-layer=true"],
    mountPoint: target,
    shared: false,
    ...more,
  };
}

const upper = storage({
  fstype: "ext4",
  options: ["X-kata.overlay-upper", "X-kata.multi-layer=true", "noatime"],
});
const lower = (partition: number, ...more: string[]) =>
  storage({
    source: "0:1",
    options: [
      ...["X-kata.overlay-lower", "X-kata.multi-layer=true", "X-kata.gpt-partitioned=true"],
      ...[`X-kata.partition-number=${partition}`, ...more],
    ],
  });

test("a group becomes its upper, its lowers by partition, and their overlay, where its first member stood", async (t) => {
  const share = storage({ driver: "virtio-fs", fstype: "virtiofs", options: [], mountPoint: "/share" });
  const later = storage({ driver: "local", options: [], mountPoint: "/later" });
  const first = lower(10, "X-kata.mkdir.path={{ mount 0 }}/upper/data:0755");
  const list = withLayersApart([share, first, later, upper, lower(2)], pod);
  t.strictSame(
    list.map(({ driver, mountPoint, layer }) => [driver, short(mountPoint), layer?.kind]),
    [
      ["virtio-fs", "/share", undefined],
      ["erofs.multi-layer", `${work}/upper`, "upper"],
      ["erofs.multi-layer", `${work}/lower-0`, "lower"],
      ["erofs.multi-layer", `${work}/lower-1`, "lower"],
      ["erofs.multi-layer", target, "overlay"],
      ["local", "/later", undefined],
    ],
  );
  t.match(list[2]?.layer, { device: "scsi", partition: 2 });
  t.match(list[4]?.layer, {
    work: workPath,
    lowers: 2,
    directories: ["{{ mount 0 }}/upper/data"],
  });
});

test("without an upper the first lower has the mount point, and without partitions the order is the list's", async (t) => {
  const two = [storage({ mountPoint: "/a", source: "0:7" }), storage({ mountPoint: "/b", source: "0:3" })];
  const list = withLayersApart(two, pod);
  t.strictSame(
    list.map(({ mountPoint, source }) => [short(mountPoint), source]),
    [
      [`${work}/lower-0`, "0:7"],
      [`${work}/lower-1`, "0:3"],
      ["/a", "overlay"],
    ],
  );
});

test("no other storage can name the place of a layer", async (t) => {
  const [one] = withLayersApart([lower(1)], pod);
  const [other] = withLayersApart([lower(1)], pod);
  t.not(one?.mountPoint, other?.mountPoint);
});

test("a list without layers is left alone, and so is a lone storage of the driver", async (t) => {
  const list = [storage({ options: [] }), storage({ driver: "erofs.multi-layer", options: [] })];
  t.strictSame(withLayersApart(list, undefined), list);
});

test("groups that cannot be are refused", async (t) => {
  const cases: Record<string, [Storage[], RegExp]> = {
    "no lower": [[upper], /no lower/],
    "two uppers": [[upper, upper, lower(1)], /two uppers/],
    "an upper of another kind": [[{ ...upper, fstype: "xfs" }, lower(1)], /not ext4/],
    "a partition without number": [
      [{ ...lower(1), options: ["X-kata.gpt-partitioned=true", "X-kata.multi-layer=true"] }],
      /number/,
    ],
    "partition 0": [[lower(0)], /number/],
    "a mount point that climbs": [[{ ...lower(1), mountPoint: "/run/../etc" }], /mount point/],
    "too many": [Array.from({ length: 129 }, () => lower(1)), /too many/],
  };
  for (const [name, [storages, message]] of Object.entries(cases)) {
    t.throws(() => withLayersApart(storages, pod), { code: 13, message }, name);
  }
  t.throws(() => withLayersApart([lower(1)], undefined), { code: 13 }, "no container");
});
