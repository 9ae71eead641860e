import type { Test } from "tap";
import { bootGuest, type GuestOptions } from "../../scripts/boot-guest.ts";

const consolePort = 1026;

/**
 * Boots a guest whose first process is systemd and lets its agent die of a signal, as a fault in native code ends it. The
 * guest has to switch itself off, since the runtime only learns of the end by that (image-and-runtime 3).
 */
export async function crashAgent(t: Test, options: GuestOptions): Promise<void> {
  const words = `agent.debug_console agent.debug_console_vport=${consolePort} ${options.append ?? ""}`;
  await using guest = await bootGuest({ ...options, append: words });
  await guest.listening();
  const shell = await guest.connect(consolePort);
  // The guest ends without a word for its peers.
  shell.on("error", () => undefined).resume();
  // The agent is what has started the shell.
  shell.write('echo "$PPID is a $(cat /proc/$PPID/comm)" >/dev/console; kill -SEGV "$PPID"\n');
  t.match(await guest.exited, { code: 0, signal: null }, "the guest switched itself off");
  shell.destroy();
  const said = guest.console();
  t.match(said, /"role":"service"/);
  t.match(said, /Power down/);
  t.notMatch(said, /shutdown complete|Kernel panic/, "not by an orderly end");
}
