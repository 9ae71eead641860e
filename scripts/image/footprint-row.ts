/** What one guest costs, bytes. */
export type FootprintRow = {
  readonly name: string;
  readonly imageBytes: number;
  /** All that is not free: MemTotal − MemFree, so processes, page cache, the unpacked initrd and the kernel's own. */
  readonly usedBytes: number;
  /** Files in memory: page cache, and what an initrd or a tmpfs holds. */
  readonly cachedBytes: number;
  /** Pages of processes that belong to no file. */
  readonly anonymousBytes: number;
  /** The kernel's own objects. */
  readonly slabBytes: number;
  /** Sum over all processes of their share of what they have mapped (PSS). */
  readonly pssBytes: number;
};

const kibibyte = 1024;

/** Reads what /proc/meminfo and the lines `pss Pss: N kB` of all processes say. Throws an Error when a value is missing. */
export function readFootprint(name: string, imageBytes: number, text: string): FootprintRow {
  const value = (key: string): number => {
    const found = new RegExp(`^${key}:\\s+(\\d+) kB`, "m").exec(text)?.[1];
    if (found === undefined) throw new Error(`${name}: the guest did not say its ${key}`);
    return Number(found) * kibibyte;
  };
  const shares = [...text.matchAll(/^pss Pss:\s+(\d+) kB/gm)].map((match) => Number(match[1]) * kibibyte);
  return {
    name,
    imageBytes,
    usedBytes: value("MemTotal") - value("MemFree"),
    cachedBytes: value("Cached") + value("Buffers"),
    anonymousBytes: value("AnonPages"),
    slabBytes: value("Slab"),
    pssBytes: shares.reduce((sum, share) => sum + share, 0),
  };
}

const columns = [
  "imageBytes",
  "usedBytes",
  "cachedBytes",
  "anonymousBytes",
  "slabBytes",
  "pssBytes",
] as const;

/** The rows as a Markdown table, in MB. */
export function rowsAsTable(rows: readonly FootprintRow[]): string {
  const megabytes = (bytes: number): string => (bytes / 1e6).toFixed(1);
  return [
    "| guest | image | memory not free | of it files in memory | anonymous | kernel objects | PSS of processes |",
    "|---|---|---|---|---|---|---|",
    ...rows.map((row) => `| ${[row.name, ...columns.map((column) => megabytes(row[column]))].join(" | ")} |`),
  ].join("\n");
}
