import { statfs } from "node:fs/promises";
import { absolutePath } from "../base/absolute-path.ts";
import { AgentError } from "../base/agent-error.ts";
import { mayHang } from "../sys/may-hang.ts";

/** Figures of one kind; `available` is what an ordinary user can still take. */
export type VolumeFigures = { total: bigint; used: bigint; available: bigint };

/** Space in bytes and inodes of the file system that holds `path` (agent-api 3.31, statfs(2)). @throws INTERNAL. */
export async function volumeStats(path: string): Promise<{ bytes: VolumeFigures; inodes: VolumeFigures }> {
  try {
    const place = absolutePath(path, "volume path");
    const figures = await mayHang(place, () => statfs(place, { bigint: true }));
    const { bsize, blocks, bfree, bavail, files, ffree } = figures;
    return {
      bytes: { total: blocks * bsize, used: (blocks - bfree) * bsize, available: bavail * bsize },
      inodes: { total: files, used: files - ffree, available: ffree },
    };
  } catch (error) {
    throw AgentError.from(error, "volume statistics");
  }
}
