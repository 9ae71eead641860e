import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import type { OciDevice, OciSpec } from "../runtime/oci.ts";
import { deviceNumber } from "../sys/device-number.ts";

const permissionBits = 0o777;

/**
 * Adds the guest's InfiniBand nodes to the document of a container (agent-api 4.4): a passed-through card whose driver is
 * the guest's kernel is used through them. Without such a card there are none.
 */
export async function withInfiniband(spec: OciSpec, folder = "/dev/infiniband"): Promise<OciSpec> {
  const nodes: OciDevice[] = [];
  for (const name of await readdir(folder).catch(() => [])) {
    const found = await stat(join(folder, name)).catch(() => undefined);
    if (!found?.isCharacterDevice()) continue;
    const { major, minor } = deviceNumber(found.rdev);
    nodes.push({
      path: join("/dev/infiniband", name),
      type: "c",
      major: BigInt(major),
      minor: BigInt(minor),
      fileMode: found.mode & permissionBits,
      uid: found.uid,
      gid: found.gid,
    });
  }
  if (nodes.length === 0) return spec;
  const paths = new Set(nodes.map(({ path }) => path));
  const others = (spec.linux?.devices ?? []).filter(({ path }) => !paths.has(path));
  return { ...spec, linux: { ...spec.linux, devices: [...others, ...nodes] } };
}
