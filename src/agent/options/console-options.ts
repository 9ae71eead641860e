/**
 * Options about who reaches the guest, and what a person sees of it: the debug console and the log's port (agent-api 2.2,
 * 6.5, 6.6).
 */
import type { VsockPeers } from "../listen-from.ts";
import { bool, flag, oneOf, wholeNumber } from "./option-readers.ts";
import type { OptionTable } from "./option-row.ts";

/** Values of the group. */
export type ConsoleOptions = Readonly<{
  /** Whether there is a shell for whoever reaches the console. */
  debugConsole: boolean;
  /** VSOCK port of the debug console; 0 = the serial console. */
  debugConsolePort: number;
  /** VSOCK port where the log is handed out; 0 = stdout. */
  logPort: number;
  /** Whether the guest's journal leaves by the log's port too. */
  journal: boolean;
  /** Who may connect to the VSOCK ports of calls, console and log. */
  vsockPeers: VsockPeers;
}>;

/** The group's rows. */
export const consoleOptions: OptionTable<ConsoleOptions> = {
  debugConsole: { cmdline: "agent.debug_console", file: "debug_console", read: flag, fallback: false },
  debugConsolePort: {
    cmdline: "agent.debug_console_vport",
    file: "debug_console_vport",
    read: wholeNumber,
    fallback: 0,
  },
  logPort: { cmdline: "agent.log_vport", file: "log_vport", read: wholeNumber, fallback: 0 },
  journal: {
    cmdline: "agent.journal",
    file: "journal",
    env: "KATA_AGENT_JOURNAL",
    read: bool,
    fallback: false,
  },
  vsockPeers: {
    cmdline: "agent.vsock_peers",
    file: "vsock_peers",
    read: oneOf("host", "any"),
    fallback: "host",
  },
};
