import { createReadStream } from "node:fs";
import { writeFile } from "node:fs/promises";
import { createInterface } from "node:readline";
import { buildTraces, type Trace } from "../../view/trace-tree.ts";
import { addCommand, type Registry } from "../command.ts";
import { ExitStatus } from "../exit-status.ts";
import type { Session } from "../session.ts";
import { addTraceControl } from "../trace-control.ts";
import { drawHeadline, drawTrace } from "../trace-draw.ts";
import { readTraceFile } from "../trace-file.ts";
import { traceJson } from "../trace-json.ts";
import { tracePage } from "../trace-page.ts";
import { UsageError } from "../usage-error.ts";

type Given = {
  readonly trace?: string;
  readonly all?: boolean;
  readonly whole?: boolean;
  readonly every?: boolean;
  readonly html?: string;
};

/** For a file or a pipe. */
const defaultWidth = 132;

function choose(traces: readonly Trace[], wanted: string | undefined): readonly Trace[] {
  if (wanted === undefined) return traces;
  const chosen = traces.filter((trace) => trace.traceId.startsWith(wanted.toLowerCase()));
  if (chosen.length > 0) return chosen;
  throw new UsageError(`no trace ${wanted} in this file`);
}

/** Draws traces for the terminal of this session, an empty line between two. */
function drawTraces(session: Session, traces: readonly Trace[], fold: boolean): string {
  const { stdout, env } = session.host;
  const colour = stdout.isTTY === true && (env["NO_COLOR"] ?? "") === "" && env["TERM"] !== "dumb";
  const options = { width: stdout.columns ?? (Number(env["COLUMNS"]) || defaultWidth), colour, fold };
  return traces.map((trace) => drawTrace(trace, options).join("\n")).join("\n\n");
}

async function writePage(path: string, out: string, traces: readonly Trace[]): Promise<void> {
  const lines = createInterface({ input: createReadStream(path, "utf8") });
  const page = await tracePage(lines, new Set(traces.map((trace) => trace.traceId)));
  await writeFile(out, page).catch((error: Error) => {
    throw new UsageError(error.message);
  });
}

/** `agentctl trace FILE`: the tree of a trace, or the list when there are several. Its subcommands ask a running agent. */
export function addTrace(registry: Registry): void {
  const trace = addCommand<Given>(
    registry,
    {
      usage: "trace <file>",
      summary: "draw the traces of a file with OTLP JSON lines, as kata-trace-forwarder writes it",
      examples: [
        "trace spans.jsonl",
        "trace spans.jsonl --trace 4bf92f35",
        "trace spans.jsonl --html out.html",
        "--json trace spans.jsonl",
      ],
    },
    async (session, [path = ""], given) => {
      const { spans, problems } = await readTraceFile(path);
      for (const problem of problems) await session.note(`${path}: ${problem}`);
      const traces = choose(buildTraces(spans), given.trace);
      if (given.html !== undefined) {
        await writePage(path, given.html, traces);
        await session.answer({ html: given.html }, `${traces.length} traces in ${given.html}`);
      } else if (session.options.json) {
        for (const trace of traces) await session.printJson(traceJson(trace));
      } else if (traces.length === 1 || given.all) {
        await session.answer({}, drawTraces(session, traces, !given.every));
      } else if (traces.length > 1) {
        const list = traces.map(drawHeadline);
        await session.answer(
          {},
          `${list.join("\n")}\n\n${traces.length} traces: --trace ID draws one, --all all`,
        );
      }
      if (traces.length === 0) await session.note(`${path}: no spans`);
      const broken =
        given.whole === true &&
        traces.some((trace) => trace.roots.length !== 1 || trace.missingParentCount > 0);
      return traces.length === 0 || broken ? ExitStatus.failed : ExitStatus.done;
    },
  )
    .option("--trace <id>", "only this trace; the first digits are enough")
    .option("--all", "draw all traces instead of a list")
    .option("--every", "draw every span; else many siblings of one name become one row")
    .option("--html <out>", "write the page that shows them, as one HTML file that needs nothing else")
    .option("--whole", "fail unless each of them is one tree without a missing parent");
  addTraceControl(registry, trace);
}
