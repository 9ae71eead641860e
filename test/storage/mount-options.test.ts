import { test } from "tap";
import { Code } from "../../src/base/code.ts";
import { mountOptions } from "../../src/storage/mount-options.ts";
import { MountFlag } from "../../src/sys/mount.ts";

const { bind, noDev, noExec, noSuid, readOnly, recursive, remount } = MountFlag;

test("option words become flags in order, and what is no flag becomes data", async (t) => {
  const cases: [string[], number, string][] = [
    [[], 0, ""],
    [["ro", "nosuid", "nodev", "noexec"], readOnly | noSuid | noDev | noExec, ""],
    [["ro", "rw"], 0, ""],
    [["rw", "ro"], readOnly, ""],
    [["nodev", "defaults", "dev"], 0, ""],
    [["rbind"], bind | recursive, ""],
    [["remount", "size=2048M", "mode=1777"], remount, "size=2048M,mode=1777"],
    [["io.katacontainers.fs-opt.overlay-rw", "X-kata.overlay-lower", "lowerdir=/a:/b"], 0, "lowerdir=/a:/b"],
    [["constructor", "toString", "__proto__"], 0, "constructor,toString,__proto__"],
  ];
  for (const [words, flags, data] of cases) t.same(mountOptions(words), { flags, data }, words.join());
});

test("options that the kernel could not take are refused", async (t) => {
  for (const words of [["loop"], ["x=\0"], ["x".repeat(4096)], Array(2049).fill("é")]) {
    t.throws(() => mountOptions(words), { code: Code.internal }, JSON.stringify(words[0]).slice(0, 10));
  }
  t.equal(mountOptions(["x".repeat(4095)]).data.length, 4095);
});
