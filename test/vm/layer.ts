import { appendFileSync, copyFileSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { build } from "esbuild";
import { ownArchitecture } from "../../scripts/image/architecture.ts";
import { type CpioEntry, writeCpio } from "../../scripts/image/cpio.ts";
import { guestKernel, guestModules } from "../../scripts/image/guest-kernel.ts";
import { withFolders } from "../../scripts/image/guest-tree.ts";
import { ownSystemRoot } from "../../scripts/image/system-root.ts";
import { guestFiles } from "../../scripts/vm-requirements.ts";

const root = join(import.meta.dirname, "../..");
const libDir = "/usr/lib/kata-agent-node";

/** A guest with something else in it: what to boot, and the paths of the extra modules in load order. */
export type Layered = { readonly initrd: string; readonly modulePaths: readonly string[] };

/**
 * Lays `entry`, a program of ours, over the agent of the built guest, with kernel modules that the guest does not
 * have by itself. The kernel unpacks archives one after the other, so the guest itself is not built again.
 * `dir` takes the files and must live as long as the guest. With another `name` the agent stays what it is, and loads the
 * modules.
 */
export async function layerProgram(
  dir: string,
  entry: string,
  modules: readonly string[],
  name = "kata-agent.cjs",
): Promise<Layered> {
  const program = join(dir, "program.cjs");
  // Not the way of our own programs: making their code cache runs them, and this one thinks it is in a guest.
  await build({
    absWorkingDir: root,
    entryPoints: [entry],
    outfile: program,
    bundle: true,
    platform: "node",
    format: "cjs",
    define: { "import.meta.dirname": "__dirname" },
    external: ["*.node"],
    logLevel: "warning",
  });
  const kernel = guestKernel(ownSystemRoot(() => undefined).path);
  const listPath = `${libDir}/modules.list`;
  const moduleEntries = guestModules(kernel, modules.join("\n"), listPath);
  const [list] = moduleEntries;
  const modulePaths =
    list && "data" in list ? Buffer.from(list.data).toString().split("\n").filter(Boolean) : [];
  const entries: CpioEntry[] = [
    // What modprobe reads stays that of the guest.
    ...moduleEntries.filter(({ path }) => !/\/modules\.(dep|alias)$/.test(path)),
    { kind: "file", path: `${libDir}/${name}`, mode: 0o644, source: program },
  ];
  const layer = join(dir, "layer.cpio");
  writeCpio(layer, withFolders(entries));
  const initrd = join(dir, "initrd.cpio");
  copyFileSync(guestFiles(ownArchitecture()).initrd, initrd);
  appendFileSync(initrd, readFileSync(layer));
  return { initrd, modulePaths };
}
