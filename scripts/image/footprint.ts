// What a guest costs before it has any container: memory at idle, measured inside, and the size of its image, beside a
// guest with the same kernel whose first process does nothing. Prints the table of docs/footprint.md.
//
//   node scripts/image/footprint.ts         boots one guest after the other; the images have to be made
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { bootGuest, type Guest, type GuestOptions } from "../boot-guest.ts";
import { buildTarget } from "../target.ts";
import { ownArchitecture } from "./architecture.ts";
import { bootOptions } from "./boot-options.ts";
import { writeCpio } from "./cpio.ts";
import { type FootprintRow, readFootprint, rowsAsTable } from "./footprint-row.ts";
import { readTree, withFolders } from "./guest-tree.ts";
import { asImageKind, imageFile } from "./image-kind.ts";
import { ownSystemRoot } from "./system-root.ts";

const projectDir = join(import.meta.dirname, "../..");
const { out: build } = buildTarget(projectDir, ownArchitecture());
const say = (line: string): void => void process.stdout.write(`${line}\n`);
const consolePort = 1026;
/** After this the boot has settled, also under emulation on a busy machine. */
const idleMs = 10_000;
const answerLimitMs = 60_000;

// The shell joins the words of the last line; a terminal that shows what was typed does not.
const question = [
  "busybox cat /proc/meminfo",
  'for p in /proc/[0-9]*; do echo "pss $(busybox grep ^Pss: $p/smaps_rollup)"; done',
  "echo that' is 'all",
].join("\n");

/** A guest that boots the same kernel to a shell which answers the question, and has nothing else. */
function emptyGuest(folder: string): GuestOptions {
  const list = [
    "dir /dev 755\ndir /proc 555\nnode /dev/console 600 5 1",
    "file /init 755 ./init\nfile /bin/busybox 755 /bin/busybox\nlink /bin/sh busybox",
  ].join("\n");
  const script = `#!/bin/sh\nexport PATH=/bin\nbusybox mount -t proc proc /proc\nbusybox sleep 5\n${question}\nbusybox sleep 99999\n`;
  writeFileSync(join(folder, "init"), script);
  const { architecture, path } = ownSystemRoot(say);
  const initrd = join(folder, "empty.cpio");
  writeCpio(initrd, withFolders(readTree(list, { architecture, build: folder, system: path })));
  return { initrd };
}

/** What the guest's debug console answers. */
async function ask(guest: Guest): Promise<string> {
  await guest.listening();
  await sleep(idleMs);
  const socket = await guest.connect(consolePort);
  try {
    socket.setEncoding("utf8").write(`${question}\n`);
    let answer = "";
    const late = AbortSignal.timeout(answerLimitMs);
    late.addEventListener("abort", () => socket.destroy(new Error(`no answer of the console:\n${answer}`)));
    for await (const chunk of socket) {
      answer += chunk;
      if (answer.includes("that is all")) break;
    }
    return answer;
  } finally {
    socket.destroy();
  }
}

async function measureEmpty(): Promise<FootprintRow> {
  const folder = mkdtempSync(join(tmpdir(), "kata-footprint-"));
  try {
    const options = emptyGuest(folder);
    await using guest = await bootGuest(options);
    await guest.seen(/that is all/);
    const packed = execFileSync("gzip", ["--best", "--no-name", "--stdout", options.initrd ?? ""], {
      maxBuffer: 64 << 20,
    });
    return readFootprint("init does nothing", packed.length, guest.console());
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function measure(format: string, init: string, dax = false): Promise<FootprintRow> {
  const kind = asImageKind(ownArchitecture(), { format, init, dax });
  const options = bootOptions({ ...kind, format: kind.format === "initrd" ? "cpio" : kind.format });
  const append = `${options.append ?? ""} agent.debug_console agent.debug_console_vport=${consolePort}`;
  await using guest = await bootGuest({ ...options, append });
  const answer = await ask(guest);
  const name = `${format}${dax ? " over NVDIMM" : ""}, ${init} as init`;
  return readFootprint(name, statSync(imageFile(build, kind)).size, answer);
}

const kinds = [
  ["initrd", "agent", false],
  ["ext4", "systemd", false],
  ["ext4", "agent", false],
  ["erofs", "agent", false],
  ["ext4", "agent", true],
] as const;
const rows = [await measureEmpty()];
for (const [format, init, dax] of kinds) {
  say(
    `footprint: ${rows.length} of ${kinds.length + 1} measured, ${rowsAsTable(rows.slice(-1)).split("\n").at(-1)}`,
  );
  try {
    rows.push(await measure(format, init, dax));
  } catch (error) {
    say(`${format}, ${init}: ${error instanceof Error ? error.message : String(error)}`);
    process.exitCode = 1;
  }
}
say(rowsAsTable(rows));
