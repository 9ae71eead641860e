/** How agentctl ends when it is not a process of the guest that decides. */
export const ExitStatus = {
  done: 0,
  /** The agent answered with an error, or an answer was not what it should be. */
  failed: 1,
  usage: 2,
  /** Nobody answers at the address. */
  unreachable: 3,
  /** Ctrl-C, as shells count it: 128 + SIGINT. */
  interrupted: 130,
} as const;
