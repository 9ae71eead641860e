/**
 * Primer. The kernel has one pool of huge pages for each page size, and its file takes the size of the whole pool. So
 * what a volume needs is added to what is there, one request at a time, and taken away again when the volume does not
 * come about. The kernel may give fewer pages than asked for without an error, which only reading back tells.
 */
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { AgentError } from "../base/agent-error.ts";
import { Code } from "../base/code.ts";
import { optionValue } from "./storage-option.ts";

/** What a hugetlbfs volume takes: whole pages of one size, in bytes. */
export type HugePages = { readonly pageBytes: number; readonly pages: number };

const poolsDir = "/sys/kernel/mm/hugepages";
/** More than the memory of any guest; a pool's size has to be an exact number here. */
const maxBytes = 2 ** 50;
let lastTurn: Promise<unknown> = Promise.resolve();

/**
 * Reads `pagesize=<bytes>,size=<bytes>` (agent-api 4.2), as one option or as two. A rest that is no whole page is not
 * given. @throws INTERNAL.
 */
export function hugePages(options: readonly string[]): HugePages {
  const words = options.flatMap((option) => option.trim().split(","));
  const pageBytes = bytesOf(words, "pagesize");
  const bytes = bytesOf(words, "size");
  const pages = Math.floor(bytes / pageBytes);
  if (pageBytes % 1024 !== 0 || pages === 0)
    throw new AgentError(Code.internal, "huge page sizes are invalid");
  return { pageBytes, pages };
}

function bytesOf(words: readonly string[], key: string): number {
  const digits = optionValue(words, key) ?? "";
  const bytes = /^\d{1,16}$/.test(digits) ? Number(digits) : 0;
  if (bytes <= 0 || bytes > maxBytes)
    throw new AgentError(Code.internal, `huge page option ${key} is invalid`);
  return bytes;
}

/**
 * Adds pages to their pool. @returns what takes them away again; it never rejects.
 * @throws INTERNAL, with the pool as it was, when there is no such pool or the kernel has not that many pages.
 */
export function reserveHugePages(
  { pageBytes, pages }: HugePages,
  dir: string = poolsDir,
): Promise<() => Promise<void>> {
  const file = join(dir, `hugepages-${pageBytes / 1024}kB/nr_hugepages`);
  return inTurn(async () => {
    const before = await poolSize(file).catch(() => {
      throw new AgentError(Code.internal, `the guest has no huge pages of ${pageBytes} bytes`);
    });
    await resize(file, before + pages);
    const given = (await poolSize(file)) - before;
    if (given < pages) {
      await resize(file, before);
      throw new AgentError(
        Code.internal,
        `only ${given} of ${pages} huge pages of ${pageBytes} bytes are free`,
      );
    }
    return () => inTurn(async () => resize(file, (await poolSize(file)) - pages)).catch(() => undefined);
  });
}

async function poolSize(file: string): Promise<number> {
  return Number((await readFile(file, "utf8")).trim());
}

function resize(file: string, pages: number): Promise<void> {
  return writeFile(file, String(Math.max(0, pages)), { flag: "r+" });
}

function inTurn<T>(work: () => Promise<T>): Promise<T> {
  const done = lastTurn.then(work);
  lastTurn = done.catch(() => undefined);
  return done;
}
