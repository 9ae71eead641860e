import { createReadStream } from "node:fs";
import { createInterface } from "node:readline";
import { parseOtlpLine } from "../view/otlp-json.ts";
import type { SpanRecord } from "../view/span-record.ts";
import { UsageError } from "./usage-error.ts";

/** What a file of OTLP JSON lines held; `problems` say which line and what is wrong with it. */
export type TraceFile = { readonly spans: SpanRecord[]; readonly problems: string[] };

/**
 * Reads a file as kata-trace-forwarder writes it. Bad lines are reported, the others are used.
 * @throws UsageError when the file cannot be read.
 */
export async function readTraceFile(path: string): Promise<TraceFile> {
  const spans: SpanRecord[] = [];
  const problems: string[] = [];
  const input = createReadStream(path, "utf8");
  const failed = new Promise<never>((_, reject) => {
    input.once("error", (error) => reject(new UsageError(error.message)));
  });
  const reading = (async () => {
    let number = 0;
    for await (const line of createInterface({ input, crlfDelay: Number.POSITIVE_INFINITY })) {
      number += 1;
      const parsed = parseOtlpLine(line);
      spans.push(...parsed.spans);
      problems.push(...parsed.problems.map((problem) => `line ${number}: ${problem}`));
    }
  })();
  await Promise.race([failed, reading]);
  return { spans, problems };
}
