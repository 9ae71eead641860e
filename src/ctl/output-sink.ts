import type { Sink } from "./copy-output.ts";
import { type Output, writeOut } from "./host.ts";
import type { Session } from "./session.ts";

/** Where the output of a process goes: as it is to `output`, or with `--json` as lines of `{"stream":…,"data":"<base64>"}`. */
export function outputSink(session: Session, output: Output, stream: "stdout" | "stderr"): Sink {
  if (session.options.json) return (data) => session.printJson({ stream, data });
  return (data) => writeOut(output, data);
}
