/**
 * What one run of a hook came to, read from the report of the program that ran it (`sys/native/hook.c`).
 * `lastLine` is the last that it wrote to its stderr, cut to what a log line or a span may carry. `ran`: from when to when,
 * in microseconds of the monotonic clock, where that program ran it.
 */
export type HookReport = {
  readonly how: "exited" | "signaled" | "timeout" | "failed" | "unknown";
  /** Exit code, signal number or errno; undefined where there is none. */
  readonly number: number | undefined;
  readonly lastLine: string;
  readonly ran?: { readonly fromUs: number; readonly toUs: number };
};

const maxLineLength = 200;
const head = /^(exited|signaled|timeout|failed)(?: (\d+))?(?: @ (\d+) (\d+))?\n/;

/** Reads the text of a report; one that is cut short or missing is `unknown`. */
export function hookReport(text: string): HookReport {
  const found = head.exec(text);
  if (found === null) return { how: "unknown", number: undefined, lastLine: "" };
  const [line, how, number, fromUs, toUs] = found;
  return {
    how: how as HookReport["how"],
    number: number === undefined ? undefined : Number(number),
    lastLine: lastLineOf(text.slice(line.length)),
    ...(fromUs === undefined ? {} : { ran: { fromUs: Number(fromUs), toUs: Number(toUs) } }),
  };
}

/** The last line of what a hook wrote that is not blank, without control characters, at most 200 characters. */
export function lastLineOf(output: string): string {
  const line = output.split("\n").findLast((candidate) => candidate.trim() !== "") ?? "";
  return line
    .replace(/\p{Cc}/gu, " ")
    .trim()
    .slice(0, maxLineLength);
}

/** True for a hook that did what it should. */
export function succeeded({ how, number }: HookReport): boolean {
  return how === "exited" && number === 0;
}
