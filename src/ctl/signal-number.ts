import { constants } from "node:os";
import { UsageError } from "./usage-error.ts";

const lastSignal = 64;

/**
 * The Linux number of a signal given as `9`, `KILL`, `SIGKILL` or `kill`. 0 is allowed: it only asks whether the process is there.
 * @throws UsageError when there is no such signal.
 */
export function signalNumber(value: string): number {
  if (/^\d{1,2}$/.test(value) && Number(value) <= lastSignal) return Number(value);
  const name = value.toUpperCase().replace(/^(SIG)?/, "SIG");
  const number = Object.entries(constants.signals).find(([known]) => known === name)?.[1];
  if (number === undefined) throw new UsageError(`no such signal: ${value}`);
  return number;
}

/** `SIGTERM` for 15; `signal 40` for one without a name. */
export function signalName(number: number): string {
  return Object.entries(constants.signals).find(([, known]) => known === number)?.[0] ?? `signal ${number}`;
}
