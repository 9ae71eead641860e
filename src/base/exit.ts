/** How a process ended. `signal` is the Linux signal number. */
export type Exit = { how: "exited"; code: number } | { how: "signaled"; signal: number };

/** The status that `WaitProcess` answers: the exit code, or 128 + signal number (agent-api 3.8). */
export function exitStatus(exit: Exit): number {
  return exit.how === "exited" ? exit.code : 128 + exit.signal;
}
