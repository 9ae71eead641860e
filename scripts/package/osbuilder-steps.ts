/**
 * What osbuilder of Kata Containers does to a root file system and to the tarball of an agent, step by step in its order
 * (image-and-runtime 1.3 to 1.5), so that CI need not have osbuilder itself to know that ours comes through it.
 */
import { execFileSync } from "node:child_process";
import {
  accessSync,
  constants,
  existsSync,
  globSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";

/** `yes`: the agent is the first process; `no`: systemd is, and starts it. */
export type AgentInit = "yes" | "no";

/** A root that the distribution's packages have been installed into, below `root`, becomes a guest's with this agent. */
export function treatRoot(root: string, tarball: string, agentInit: AgentInit): void {
  tidyDistribution(root);
  if (agentInit === "no") ensureTmpMount(root);
  setClock(root);
  execFileSync("tar", ["--zstd", "-xf", tarball, "-C", root]);
  const agent = join(root, "usr/bin/kata-agent");
  execFileSync("strip", [agent]);
  accessSync(agent, constants.X_OK);
  if (agentInit === "yes") renameSync(agent, join(root, "sbin/init"));
  else pullInTarget(root);
  const resolver = join(root, "etc/resolv.conf");
  rmSync(resolver, { force: true });
  writeFileSync(resolver, "");
  removeUnwanted(root);
}

function tidyDistribution(root: string): void {
  for (const folder of ["run", "cache", "lib", "log", "tmp"])
    rmSync(join(root, "var", folder), { recursive: true, force: true });
  symlinkSync("/run", join(root, "var/run"));
  symlinkSync("../tmp", join(root, "var/tmp"));
  const forPeople = "bash-completion,bug,doc,info,lintian,locale,man,menu,misc,pixmaps,terminfo,zsh";
  for (const folder of forPeople.split(","))
    rmSync(join(root, "usr/share", folder), { recursive: true, force: true });
}

function ensureTmpMount(root: string): void {
  const places = ["etc/systemd/system", "usr/lib/systemd/system"].map((place) =>
    join(root, place, "tmp.mount"),
  );
  if (places.some((place) => existsSync(place))) return;
  const unit = "[Mount]\nWhat=tmpfs\nWhere=/tmp\nType=tmpfs\nOptions=mode=1777,strictatime,nosuid,nodev\n";
  writeFileSync(join(root, "etc/systemd/system/tmp.mount"), unit);
}

/** The clock is the host's, by the paravirtual one: chrony asks nobody else, and runs only where that is there. */
function setClock(root: string): void {
  const settings = join(root, "etc/chrony/chrony.conf");
  const kept = readFileSync(settings, "utf8").replace(/^(server|pool|peer) /gm, "# $1 ");
  writeFileSync(settings, `${kept}refclock PHC /dev/ptp0 poll 3 dpoll -2 offset 0\nmakestep 1 -1\n`);
  const service = join(root, "lib/systemd/system/chrony.service");
  if (!existsSync(service)) return;
  const text = readFileSync(service, "utf8")
    .replace(/^(ExecStart=.*)-u \w*/gm, "$1")
    .replace(/^\[Unit\]$/m, "[Unit]\nConditionPathExists=/dev/ptp0")
    .replace(/^(StateDirectory=|LogsDirectory=)/gm, "#$1");
  writeFileSync(service, text);
}

function pullInTarget(root: string): void {
  const wants = (target: string, unit: string): void => {
    const folder = join(root, "etc/systemd/system", `${target}.wants`);
    mkdirSync(folder, { recursive: true });
    rmSync(join(folder, unit), { force: true });
    symlinkSync(`/usr/lib/systemd/system/${unit}`, join(folder, unit));
  };
  wants("basic.target", "kata-containers.target");
  wants("kata-containers.target", "dbus.socket");
}

/** What `rootfs.sh -d` removes, by our own list. */
function removeUnwanted(root: string): void {
  const list = readFileSync(join(import.meta.dirname, "../../rootfs/units/unwanted"), "utf8");
  const names = list.split("\n").filter((line) => line !== "" && !line.startsWith("#"));
  for (const name of names)
    for (const found of globSync(`{usr/lib,lib,etc}/systemd/**/${name}`, { cwd: root }))
      rmSync(join(root, found), { force: true });
}

/**
 * Packs the tree as an initrd, with `/init` where osbuilder puts it. osbuilder packs with `gzip -9`, which makes it smaller
 * by a tenth and takes ten times as long.
 */
export function packInitrd(root: string, file: string, agentInit: AgentInit): void {
  const init = join(root, "init");
  rmSync(init, { force: true });
  symlinkSync(agentInit === "yes" ? "/sbin/init" : "/lib/systemd/systemd", init);
  const command =
    'find . | LC_ALL=C sort | cpio --quiet -H newc -o | gzip -1 -n >"$0.part" && mv "$0.part" "$0"';
  execFileSync("sh", ["-c", command, file], { cwd: root });
}
