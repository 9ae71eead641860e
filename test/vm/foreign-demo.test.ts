import t from "tap";
import { ownArchitecture } from "../../scripts/image/architecture.ts";
import { whyNoVm } from "../../scripts/vm-requirements.ts";
import { playDemo, strayCalls } from "../fakes/play-demo.ts";

const architecture = ownArchitecture() === "amd64" ? "arm64" : "amd64";
const skip = whyNoVm(architecture) ?? false;

t.test(`the demo plays a pod in a guest of ${architecture}`, { skip }, async (t) => {
  const played = await playDemo("vm", "cpio", architecture);
  t.match(played.text, /16 steps, all as expected/);
  t.match(played.text, /QEMU ended by itself with 0/);
  t.equal(played.traces.length, 1);
  t.match(played.traces[0], { missingParentCount: 0, errorCount: 0 });
  t.same(strayCalls(played), []);
});
