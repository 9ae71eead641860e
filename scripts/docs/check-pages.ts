// Checks all pages of the documentation without running what they say:
//   node scripts/docs/check-pages.ts
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { allPages, pageFaults, pagesOffTheMap } from "./page-faults.ts";

const read = (path: string) => readFileSync(join(import.meta.dirname, "../..", path), "utf8");
const pages = allPages();
const faults = [
  ...pages.flatMap((path) => pageFaults(path, read(path))),
  ...pagesOffTheMap(pages, read("README.md")),
];
for (const fault of faults) process.stdout.write(`${fault}\n`);
if (faults.length > 0) process.stdout.write("CONTRIBUTING.md says what blocks of a page have to say\n");
process.exitCode = faults.length > 0 ? 1 : 0;
