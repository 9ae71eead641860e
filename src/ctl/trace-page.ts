import { readFile } from "node:fs/promises";
import { placedFile } from "../base/placed-file.ts";

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

type Group = { scopeSpans?: unknown };
type Scope = { spans?: unknown };

/** A request with only the spans of some traces; undefined when none of them is in it. */
function chosen(line: string, traceIds: ReadonlySet<string>): string | undefined {
  const request = parsed(line) as { resourceSpans?: unknown } | undefined;
  const resourceSpans = listOf<Group>(request?.resourceSpans).flatMap((group) => {
    const scopeSpans = listOf<Scope>(group.scopeSpans).flatMap((scope) => {
      const spans = listOf<{ traceId?: unknown }>(scope.spans).filter((span) =>
        traceIds.has(String(span.traceId).toLowerCase()),
      );
      return spans.length === 0 ? [] : [{ ...scope, spans }];
    });
    return scopeSpans.length === 0 ? [] : [{ ...group, scopeSpans }];
  });
  return resourceSpans.length === 0 ? undefined : JSON.stringify({ resourceSpans });
}

function parsed(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}

function listOf<T extends object>(value: unknown): T[] {
  return Array.isArray(value) ? value.filter((item) => typeof item === "object" && item !== null) : [];
}
