import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { readTraceFile } from "../../src/ctl/trace-file.ts";
import type { SpanRecord } from "../../src/view/span-record.ts";
import { buildTraces, type Trace } from "../../src/view/trace-tree.ts";

const script = fileURLToPath(new URL("../../scripts/demo.sh", import.meta.url));
const maxBytes = 16 * 1024 * 1024;

/** What a demo printed and left. */
export type Played = {
  readonly text: string;
  readonly spans: readonly SpanRecord[];
  readonly traces: readonly Trace[];
};

/** Runs the demo as its user would. @throws the error of the process, with all it printed, when it fails. */
export async function playDemo(...args: string[]): Promise<Played> {
  const { stdout } = await promisify(execFile)(script, args, { maxBuffer: maxBytes });
  const path = /as OTLP JSON: (\S+)/.exec(stdout)?.[1] ?? "";
  const { spans } = await readTraceFile(path);
  return { text: stdout, spans, traces: buildTraces(spans) };
}

/** The agent's spans of calls whose parent is not the client's span of the very same call. */
export function strayCalls({ spans }: Played): string[] {
  const byId = new Map(spans.map((span) => [span.spanId, span]));
  const served = spans.filter((span) => span.service === "kata-agent" && span.name.startsWith("grpc."));
  return served
    .filter((span) => {
      const parent = byId.get(span.parentSpanId);
      return parent?.service !== "agentctl" || parent.name !== span.name;
    })
    .map((span) => span.name);
}
