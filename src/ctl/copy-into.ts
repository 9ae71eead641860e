import { guestPaths } from "../base/guest-paths.ts";
import { type Agent, Method } from "./agent.ts";
import { type CopyOptions, copyPlan } from "./copy-plan.ts";

/** Where the Go shim puts the root file system of a container, and CopyFile may write (agent-api 0.5). */
export function guestRootfs(containerId: string): string {
  return `${guestPaths.share}/${containerId}/rootfs`;
}

/** What a copy cost. */
export type CopyTotals = { readonly requests: number; readonly bytes: number };

/** Copies a file, a symbolic link or a directory with all below it into the guest, one request after the other. */
export async function copyInto(
  agent: Agent,
  source: string,
  target: string,
  options: CopyOptions = { owner: { uid: 0, gid: 0 } },
): Promise<CopyTotals> {
  let [requests, bytes] = [0, 0];
  for await (const request of copyPlan(source, target, options)) {
    await agent.call(Method.CopyFile, request);
    requests += 1;
    bytes += request.data.length;
  }
  return { requests, bytes };
}
