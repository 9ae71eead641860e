import { existsSync } from "node:fs";
import { join } from "node:path";
import t from "tap";
import { whyNoVm } from "../../scripts/vm-requirements.ts";
import { doMainJob } from "./main-job.ts";

const guests = join(import.meta.dirname, "../../build/guest");
const missing = "the guest of the tarball is missing; it is made by root, see docs/osbuilder.md";
const initrdOf = (agentInit: string): string => join(guests, `osbuilder-${agentInit}.initrd`);
const skipOf = (agentInit: string): string | false => {
  return whyNoVm() ?? (existsSync(initrdOf(agentInit)) ? false : missing);
};

// image-and-runtime 1.3 to 1.5
t.test(
  "the tarball treated as osbuilder treats it boots as the first process and does the main job",
  { skip: skipOf("yes") },
  async (t) => {
    const said = await doMainJob(t, { initrd: initrdOf("yes"), memoryMb: 1536 });
    t.match(said, /"role":"machine-init"/);
    t.match(said, /shutdown complete[\s\S]*Power down/);
    t.notMatch(said, /Kernel panic|agent crashed|boot step failed/);
  },
);

t.test("and as a service of systemd, whose end is the guest's", { skip: skipOf("no") }, async (t) => {
  const append = "systemd.unit=kata-containers.target systemd.show_status=false";
  const said = await doMainJob(t, { initrd: initrdOf("no"), memoryMb: 1536, append });
  t.match(said, /"role":"service"/);
  t.match(said, /shutdown complete[\s\S]*Power down/);
  t.notMatch(said, /Kernel panic|agent crashed/);
});
