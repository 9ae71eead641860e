// Checks README, CONTRIBUTING, CHANGELOG and docs/*.md without running what they say:
//   node scripts/docs/check-pages.ts
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { allPages, pageFaults } from "./page-faults.ts";

const root = join(import.meta.dirname, "../..");
const faults = allPages((folder) => readdirSync(folder)).flatMap((path) =>
  pageFaults(path, readFileSync(join(root, path), "utf8")),
);
for (const fault of faults) process.stdout.write(`${fault}\n`);
if (faults.length > 0) process.stdout.write("CONTRIBUTING.md says what blocks of a page have to say\n");
process.exitCode = faults.length > 0 ? 1 : 0;
