/**
 * A shell for whoever reaches the console, without any question: only for guests that are told so on their command line
 * (agent-api 6.5). Over VSOCK every connection gets a shell and a terminal of its own; on the serial console there is
 * one shell, once.
 */
import { closeSync, constants, existsSync, openSync } from "node:fs";
import { AgentError } from "../base/agent-error.ts";
import { Code } from "../base/code.ts";
import type { Log } from "../base/log.ts";
import { spawn } from "../sys/spawn.ts";
import { startBackgroundSpan } from "../trace/span.ts";
import type { Accepted } from "../vsock/accepted.ts";
import type { Address } from "../vsock/address.ts";
import { listenFrom, type VsockPeers } from "./listen-from.ts";
import { ShellSession, shellEnvironment } from "./shell-session.ts";

/** The first that there is counts: the one of an extension made for this before the guest's own. */
const shells = ["/run/kata-extensions/devkit/bin/devkit-sh", "/bin/bash", "/bin/sh"];
/** A terminal each; more than any person opens. */
const maxSessions = 32;
const sigkill = 9;

/** A console that is open. `close` ends its shells and resolves when they are gone. Safe to repeat. */
export type DebugConsole = { readonly close: () => Promise<void> };

/** Gives every connection of those `peers` to `address` a shell. @throws NOT_FOUND without any shell; what listening throws. */
export async function listenConsole(
  address: Address,
  log: Log,
  candidates = shells,
  peers: VsockPeers = "host",
): Promise<DebugConsole> {
  const shell = firstShell(candidates);
  const sessions = new Set<ShellSession>();
  const open = (accepted: Accepted) => openSession(shell, accepted, sessions, log);
  const listener = await listenFrom(peers, address, open, log);
  return {
    async close() {
      await listener.close();
      for (const session of sessions) session.close();
      await Promise.all([...sessions].map((session) => session.ended));
    },
  };
}

function openSession(shell: string, accepted: Accepted, sessions: Set<ShellSession>, log: Log): void {
  const { peer } = accepted;
  if (sessions.size >= maxSessions) {
    log.warn({ peer }, "debug console has too many sessions");
    accepted.close();
    return;
  }
  const session = new ShellSession(shell, accepted.stream());
  sessions.add(session);
  const span = startBackgroundSpan("debug console", { "network.peer.address": peer });
  log.info({ peer }, "debug console session begins");
  void session.ended.then(() => {
    sessions.delete(session);
    span.end();
    log.info({ peer }, "debug console session ends");
  });
}

/**
 * Runs one interactive shell on a console. It stays in our session, whose terminal the console of a guest is, so that
 * it can control its jobs. @throws NOT_FOUND without any shell; what opening or starting throws.
 */
export function serialConsole(log: Log, path = "/dev/console", candidates = shells): DebugConsole {
  const shell = firstShell(candidates);
  const tty = openSync(path, constants.O_RDWR | constants.O_NOCTTY);
  try {
    const child = spawn({
      file: shell,
      args: ["-i"],
      env: shellEnvironment,
      stdio: [tty, tty, tty],
    });
    const ended = child.exited.then(() => log.info({}, "debug console shell has ended"));
    return {
      close() {
        child.signal(sigkill);
        return ended;
      },
    };
  } finally {
    closeSync(tty);
  }
}

function firstShell(candidates: readonly string[]): string {
  const shell = candidates.find((path) => existsSync(path));
  if (shell === undefined) throw new AgentError(Code.notFound, "no shell for the debug console");
  return shell;
}
