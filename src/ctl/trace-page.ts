import { readFile } from "node:fs/promises";
import { placedFile } from "../base/placed-file.ts";
import { requestOf, spanParts, text } from "../view/otlp-parts.ts";

/** Where the page looks for spans of its own (`scripts/build-page.ts`). */
const place = '<script type="application/json" id="spans">';

/**
 * The page that shows traces, with these spans inside: one HTML file that needs nothing else.
 * @param lines OTLP JSON, one export request each; those that do not parse are left out.
 * @param traceIds only spans of these traces are taken along.
 */
export async function tracePage(
  lines: AsyncIterable<string>,
  traceIds: ReadonlySet<string>,
): Promise<string> {
  const page = await readFile(placedFile("trace-page.html"), "utf8");
  const requests: string[] = [];
  for await (const line of lines) {
    const request = chosen(line, traceIds);
    if (request !== undefined) requests.push(request);
  }
  // Within a script element only a tag could end the data.
  const data = `[${requests.join(",")}]`.replaceAll("<", "\\u003c");
  return page.replace(place, () => place + data);
}

/** A request with only the spans of some traces; undefined when none of them is in it. */
function chosen(line: string, traceIds: ReadonlySet<string>): string | undefined {
  const parts =
    spanParts(line)?.filter(({ span }) => traceIds.has(text(span["traceId"]).toLowerCase())) ?? [];
  if (parts.length === 0) return undefined;
  return requestOf(
    parts.map(({ resource, scope, span }) => ({
      resource: JSON.stringify(resource),
      scope: JSON.stringify(scope),
      span: JSON.stringify(span),
    })),
  );
}
