import type { Architecture } from "./architecture.ts";
import type { DebianPackage } from "./system-root.ts";

/**
 * Packages as dpkg would list them in `/var/lib/dpkg/status` had it installed these and nothing else: what scanners of
 * Debian systems read.
 */
export function debianStatus(packages: readonly DebianPackage[], architecture: Architecture): string {
  const sorted = packages.toSorted((a, b) => (a.name < b.name ? -1 : 1));
  const paragraphs = sorted.map(({ name, version, source, sourceVersion }) => [
    `Package: ${name}`,
    "Status: install ok installed",
    `Architecture: ${architecture}`,
    `Version: ${version}`,
    `Source: ${source} (${sourceVersion})`,
  ]);
  return paragraphs.map((lines) => `${lines.join("\n")}\n\n`).join("");
}
