import { readdir } from "node:fs/promises";

/**
 * The huge page sizes of this kernel as the hugetlb controller spells them: `2MB`, `1GB`, `64KB`.
 * Source: `/sys/kernel/mm/hugepages/hugepages-<n>kB`.
 */
export async function hugepageSizes(dir = "/sys/kernel/mm/hugepages"): Promise<string[]> {
  const names = await readdir(dir).catch(() => []);
  return names.flatMap((name) => {
    const kilobytes = Number(/^hugepages-(\d+)kB$/.exec(name)?.[1]);
    return Number.isNaN(kilobytes) ? [] : [spelled(kilobytes)];
  });
}

function spelled(kilobytes: number): string {
  if (kilobytes >= 1024 * 1024) return `${kilobytes / (1024 * 1024)}GB`;
  return kilobytes >= 1024 ? `${kilobytes / 1024}MB` : `${kilobytes}KB`;
}
