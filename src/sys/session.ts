import { kernel } from "./kernel.ts";

/** Makes this process the leader of a new session without a terminal. @throws EPERM when it leads a group already. */
export function startSession(): void {
  kernel.newSession();
}

/** Makes a terminal that of our session. @throws EPERM when it is another's, or we lead no session; ENOTTY. */
export function setControllingTerminal(fd: number): void {
  kernel.setControllingTerminal(fd);
}
