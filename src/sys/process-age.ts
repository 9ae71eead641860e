import { readFileSync } from "node:fs";

/** The unit of times in /proc: the kernel counts them in hundredths of a second for every user program. */
const ticksPerSecond = 100;
/** Fields of /proc/PID/stat that follow the name in parentheses; the 22nd of all is the start time. */
const startTimeAfterName = 19;

/** Ticks since boot, now. */
export function ticksNow(): number {
  return Math.floor(Number.parseFloat(readFileSync("/proc/uptime", "utf8")) * ticksPerSecond);
}

/** When a process, be it a zombie, was started, in ticks since boot; undefined when it is gone. */
export function startedAtTicks(pid: number): number | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
    // The name may hold anything, parentheses and blanks too.
    return Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[startTimeAfterName]);
  } catch {
    return undefined;
  }
}
