import type { IpAddress } from "./ip-address.ts";
import { type IpLine, ipBatch, ipLine } from "./ip-command.ts";
import { linkNamed, readLinks } from "./network-links.ts";

/** An entry of the neighbour table to make (agent-api 3.21); every member has been checked. */
export type WantedNeighbor = {
  readonly address: IpAddress;
  readonly device: string;
  readonly hardwareAddress: string | undefined;
  /** One of the kernel's NUD_* bits, such as 0x80 for permanent. */
  readonly state: number;
  /** The kernel's NTF_* bits. */
  readonly flags: number;
};

/** NTF_PROXY: we answer for this address. It makes an entry of a table of its own. */
const proxy = 0x08;
/** The other NTF_* bits that neighbours of IP have; the rest are about bridges or set by the kernel itself. */
const flagWords: readonly (readonly [number, string])[] = [
  [0x01, "use"],
  [0x10, "extern_learn"],
  [0x80, "router"],
];

/** Makes neighbours, replacing those of the same address; stops at the first that fails. @throws INTERNAL. */
export async function addNeighbors(neighbors: readonly WantedNeighbor[]): Promise<void> {
  const links = await readLinks();
  for (const { device } of neighbors) linkNamed(links, device);
  await ipBatch(neighbors.map(neighborLine));
}

function neighborLine({ address, device, hardwareAddress, state, flags }: WantedNeighbor): IpLine {
  const words = ["neighbour", "replace", ...(flags & proxy ? ["proxy"] : []), address.text, "dev", device];
  if (hardwareAddress !== undefined) words.push("lladdr", hardwareAddress);
  words.push("nud", `0x${state.toString(16)}`);
  for (const [bit, word] of flagWords) if (flags & bit) words.push(word);
  return ipLine(...words);
}
