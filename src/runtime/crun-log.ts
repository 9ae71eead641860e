/**
 * Reads the complaint out of a crun log (`--log-format=json`, one object per line).
 *
 * The last error line wins: crun adds context as it unwinds. Undefined when the log holds no error.
 */
export function crunComplaint(log: string): string | undefined {
  let complaint: string | undefined;
  for (const line of log.split("\n")) {
    const entry = parsed(line);
    // What a hook's failure is told by is wrapped into a second line of the same form.
    if (entry?.level === "error") complaint = parsed(entry.msg)?.msg ?? entry.msg;
  }
  return complaint;
}

function parsed(line: string): { msg: string; level: string } | undefined {
  if (!line.startsWith("{")) return undefined;
  try {
    const value: unknown = JSON.parse(line);
    if (typeof value !== "object" || value === null) return undefined;
    const { msg, level } = value as Record<string, unknown>;
    return typeof msg === "string" && typeof level === "string" ? { msg, level } : undefined;
  } catch {
    // A line cut short by a full disk is no reason to lose the others.
    return undefined;
  }
}
