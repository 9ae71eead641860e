import { join } from "node:path";

/** A processor that guests are made for, by Debian's name. */
export type Architecture = "amd64" | "arm64";

/** What differs between the architectures. */
export type Traits = {
  /** Of folders of libraries: `/usr/lib/<triplet>`. */
  readonly triplet: string;
  /** Node's word for it, as in the npm package `node-linux-<nodeArch>`. */
  readonly nodeArch: "x64" | "arm64";
  /** What the machine is called by QEMU (`qemu-system-<machine>`) and by `uname -m`. */
  readonly machine: string;
};

const traits: Readonly<Record<Architecture, Traits>> = {
  amd64: { triplet: "x86_64-linux-gnu", nodeArch: "x64", machine: "x86_64" },
  arm64: { triplet: "aarch64-linux-gnu", nodeArch: "arm64", machine: "aarch64" },
};

/** What differs for this architecture. */
export function traitsOf(architecture: Architecture): Traits {
  return traits[architecture];
}

/** The architecture of this machine. Throws an Error where no guest can be made for it. */
export function ownArchitecture(): Architecture {
  return asArchitecture(process.arch);
}

/** Reads `amd64`, `x86_64`, `arm64`, `aarch64`, or Node's names. Throws an Error that names the ones there are. */
export function asArchitecture(name: string): Architecture {
  for (const [key, { nodeArch, machine }] of Object.entries(traits)) {
    if (name === key || name === nodeArch || name === machine) return key === "amd64" ? key : "arm64";
  }
  throw new Error(`no guests for ${name}, only for ${Object.keys(traits).join(" and ")}`);
}

/** Where the build for an architecture lies: `build`, and `build/<architecture>` for another one than this machine's. */
export function buildFolder(root: string, architecture: Architecture): string {
  const own = architecture === ownArchitecture();
  return own ? join(root, "build") : join(root, "build", architecture);
}
