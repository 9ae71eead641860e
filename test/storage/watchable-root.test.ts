import { test } from "tap";
import { watchableRoot } from "../../src/storage/watchable-root.ts";

const share = "/run/kata-containers/shared/containers";

test("watchable mounts lie directly in the directories of the runtimes (agent-api 7)", (t) => {
  for (const root of [
    `${share}/watchable`,
    `${share}/passthrough/watchable`,
    `/run/user/1000${share}/watchable`,
    `/run/user/4294967294${share}/passthrough/watchable`,
  ]) {
    t.same(watchableRoot(`${root}/abc-config`), { root, name: "abc-config" });
  }
  for (const path of [
    "",
    "/",
    `${share}/watchable`,
    `${share}/watchable/`,
    `${share}/watchable/.`,
    `${share}/watchable/..`,
    `${share}/watchable/a/b`,
    `${share}//watchable/a`,
    `${share}/./watchable/a`,
    `${share}/watchable/../x/a`,
    `${share}/watchable/.kata-watch-1`,
    `${share}/watchable/${"ä".repeat(128)}`,
    `${share}/other/a`,
    `/etc${share}/watchable/a`,
    `/run/user/0${share}/watchable/a`,
    `/run/user/01${share}/watchable/a`,
    `/run/user/4294967295${share}/watchable/a`,
    `/run/user/1000/x${share}/watchable/a`,
    `/run/user/1000/run/user/1000${share}/watchable/a`,
    `run${share}/watchable/a`,
  ]) {
    t.throws(() => watchableRoot(path), path);
  }
  t.end();
});
