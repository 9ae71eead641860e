/*
 * OTLP JSON, taken apart into its spans and put together again: one ExportTraceServiceRequest per line. What comes may
 * have been cut, and may come from a stranger: nothing in here trusts a shape.
 */

/** A JSON object of whatever shape. */
export type Fields = Readonly<Record<string, unknown>>;

/** The object; empty when it is none. */
export const fields = (value: unknown): Fields =>
  typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Fields) : {};
/** The list; empty when it is none. */
export const list = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);
/** The text; empty when it is none. */
export const text = (value: unknown): string => (typeof value === "string" ? value : "");

/** A span, with what stands around it: all of its ResourceSpans but the scopes, and of its ScopeSpans but the spans. */
export type SpanPart = { readonly resource: Fields; readonly scope: Fields; readonly span: Fields };

/** The spans of a line, in order; undefined when it is no export request. */
export function spanParts(line: string): readonly SpanPart[] | undefined {
  const { resourceSpans } = fields(parsed(line));
  if (!Array.isArray(resourceSpans)) return undefined;
  return resourceSpans.map(fields).flatMap(({ scopeSpans, ...resource }) =>
    list(scopeSpans)
      .map(fields)
      .flatMap(({ spans, ...scope }) => list(spans).map((span) => ({ resource, scope, span: fields(span) }))),
  );
}

/** The same as texts, of which some may be kept. */
export type SpanText = { readonly resource: string; readonly scope: string; readonly span: string };

/** One export request of these spans: those with the same resource stand together, and below it those with the same scope. */
export function requestOf(spans: Iterable<SpanText>): string {
  const resourceSpans = [...Map.groupBy(spans, ({ resource }) => resource)].map(([resource, ofResource]) => {
    const scopeSpans = [...Map.groupBy(ofResource, ({ scope }) => scope)].map(([scope, ofScope]) =>
      extended(
        scope,
        "spans",
        ofScope.map(({ span }) => span),
      ),
    );
    return extended(resource, "scopeSpans", scopeSpans);
  });
  return extended("{}", "resourceSpans", resourceSpans);
}

/** An object's text with one more member, a list. */
function extended(object: string, key: string, items: readonly string[]): string {
  const comma = object === "{}" ? "" : ",";
  return `${object.slice(0, -1)}${comma}"${key}":[${items.join(",")}]}`;
}

function parsed(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}
