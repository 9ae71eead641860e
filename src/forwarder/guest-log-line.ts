/** Controls that JSON leaves as they are, and some terminals obey: DEL and C1. */
const controls = /[\x7f-\x9f]/g;

/** Whose line it is, as the host knows it. */
export type LineOrigin = {
  /** The sandbox's id, or `vsock:<cid>`. */
  readonly sandbox: string;
  /** When this guest was first seen, in ISO 8601: tells guests apart that had the same CID one after the other. */
  readonly guest_since?: string;
};

/**
 * A line of a guest's log as it is kept: a JSON object that says whose it is, which the guest cannot tell otherwise. What
 * is no object, since a guest may send anything, becomes the `msg` of one.
 */
export function guestLogLine(line: string, origin: LineOrigin): string {
  const fields = objectIn(line) ?? {
    level: "INFO",
    ts: new Date().toISOString(),
    source: "guest",
    msg: line,
  };
  return JSON.stringify({ ...fields, ...origin }).replace(controls, escaped);
}

const escaped = (control: string): string => `\\u00${control.charCodeAt(0).toString(16)}`;

function objectIn(text: string): object | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null && !Array.isArray(value) ? value : undefined;
  } catch {
    return undefined;
  }
}
