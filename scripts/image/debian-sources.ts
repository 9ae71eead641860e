import { execFileSync } from "node:child_process";

/** Where packages come from, as this machine's apt knows it, and for which release: `bookworm`. */
export type DebianSources = { readonly release: string; readonly lines: readonly string[] };

/**
 * The machine's own sources of the distribution (not of others who publish packages), as lines of a sources.list; with
 * `sourceCode` for the packages' sources too. Throws an Error in plain words when apt has none.
 */
export function debianSources({ sourceCode = false } = {}): DebianSources {
  const known = targets();
  const all = known.length > 0 || process.getuid?.() !== 0 ? known : updated();
  const [first] = all;
  if (first === undefined) throw new Error("apt knows no packages of the distribution; try apt-get update");
  const kinds = sourceCode ? ["deb", "deb-src"] : ["deb"];
  const lines = kinds.flatMap((kind) => all.map((target) => `${kind} ${target.slice(1).join(" ")}`));
  return { release: first[0] ?? "", lines: [...new Set(lines)] };
}

/** Release, address, name in the archive and component of each source. */
function targets(): string[][] {
  const fields = ["$(ORIGIN)", "$(CODENAME)", "$(REPO_URI)", "$(RELEASE)", "$(COMPONENT)"];
  const said = execFileSync(
    "apt-get",
    ["indextargets", "--format", fields.join("|"), "Created-By: Packages"],
    { encoding: "utf8" },
  );
  const rows = said.split("\n").map((line) => line.split("|"));
  const own = rows
    .filter(([origin]) => origin === "Debian" || origin === "Ubuntu")
    .map((row) => row.slice(1));
  // The release itself comes first: the others are called after it.
  return own.sort((a, b) => (a[0] ?? "").length - (b[0] ?? "").length);
}

function updated(): string[][] {
  execFileSync("apt-get", ["-qq", "update"], { stdio: ["ignore", "ignore", "inherit"] });
  return targets();
}
