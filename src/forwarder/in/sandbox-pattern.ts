/** Where the runtimes put the VSOCK socket of a VMM: `before` + sandbox id + `after`. */
export type SandboxPattern = { readonly before: string; readonly after: string };

const place = "{sandbox}";

/**
 * What the runtimes do by default (wire-and-tracing 2.3): Cloud Hypervisor, Firecracker, Dragonball. QEMU and
 * StratoVirt have AF_VSOCK instead, which one listener serves.
 */
export const knownPatterns: readonly SandboxPattern[] = [
  "/run/vc/vm/{sandbox}/clh.sock",
  "/run/kata/{sandbox}/ch-vm.sock",
  "/run/vc/firecracker/{sandbox}/root/kata.hvsock",
  "/run/kata/firecracker/{sandbox}/root/kata.hvsock",
  "/run/kata/{sandbox}/kata.hvsock",
  "/run/kata/{sandbox}/root/kata.hvsock",
].map(parsePattern);

/**
 * Reads `/path/{sandbox}/more`.
 * @throws Error with the reason.
 */
export function parsePattern(text: string): SandboxPattern {
  const [before, after, ...more] = text.split(place);
  if (before === undefined || after === undefined || more.length > 0)
    throw new Error(`exactly one ${place} has to be in it`);
  if (!before.startsWith("/") || !before.endsWith("/"))
    throw new Error(`${place} has to be a folder of an absolute path`);
  if (!after.startsWith("/") || after.endsWith("/"))
    throw new Error("the socket has to be below the sandbox's folder");
  return { before, after };
}

const idPattern = /^[A-Za-z0-9][A-Za-z0-9_.-]{0,254}$/;

/** Whether a folder's name can be that of a sandbox; the runtimes keep other folders beside them. */
export function isSandboxName(name: string): boolean {
  return idPattern.test(name) && name !== "firecracker" && name !== "shared";
}

/** The sandbox whose VMM has this socket, by the patterns; undefined when none fits. */
export function sandboxOf(socketPath: string, patterns: readonly SandboxPattern[]): string | undefined {
  for (const { before, after } of patterns) {
    if (!socketPath.startsWith(before) || !socketPath.endsWith(after)) continue;
    const name = socketPath.slice(before.length, socketPath.length - after.length);
    if (isSandboxName(name)) return name;
  }
  return undefined;
}
