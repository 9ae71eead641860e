import type { Trace, TraceNode } from "../view/trace-tree.ts";

/** Siblings that look alike, drawn as one row. */
export type Fold = { readonly name: string; readonly nodes: readonly TraceNode[] };

/** One row of a drawn tree: `lead` are the branches before the name. */
export type Row = { readonly lead: string } & (
  | { readonly kind: "span"; readonly node: TraceNode; readonly parent: TraceNode | undefined }
  | { readonly kind: "fold"; readonly fold: Fold }
);

/** Twenty levels are drawn as such; what lies deeper stays at the last one, or a deep trace would be all indent. */
const maxIndent = 60;
/** From so many siblings of one name on, only the first ones are drawn. */
const foldFrom = 5;
const drawnOfFold = 2;

/** A failure is never folded away, nor is what contains one. */
function hasFailure(node: TraceNode): boolean {
  const open = [node];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    if (next.span.status.error) return true;
    open.push(...next.children);
  }
  return false;
}

function foldable(children: readonly TraceNode[]): ReadonlyMap<string, readonly TraceNode[]> {
  const byName = Map.groupBy(children, (child) => child.span.name);
  const folds = new Map<string, readonly TraceNode[]>();
  for (const [name, alike] of byName) {
    if (alike.length < foldFrom) continue;
    const rest = alike.slice(drawnOfFold).filter((node) => !hasFailure(node));
    if (rest.length > 1) folds.set(name, rest);
  }
  return folds;
}

/** The children with each group of look-alikes put together where its first one stood. */
function entriesOf(children: readonly TraceNode[], fold: boolean): (TraceNode | Fold)[] {
  const folds = fold ? foldable(children) : new Map<string, readonly TraceNode[]>();
  const entries: (TraceNode | Fold)[] = [];
  for (const child of children) {
    const nodes = folds.get(child.span.name) ?? [];
    if (child === nodes[0]) entries.push({ name: child.span.name, nodes });
    else if (!nodes.includes(child)) entries.push(child);
  }
  return entries;
}

type Open = { entry: TraceNode | Fold; parent: TraceNode | undefined; lead: string; below: string };

/** The rows of a trace from top to bottom; without recursion, since a trace from a file may be as deep as it likes. */
export function rowsOf(trace: Trace, fold: boolean): Row[] {
  const rows: Row[] = [];
  const open: Open[] = trace.roots
    .toReversed()
    .map((entry) => ({ entry, parent: undefined, lead: "", below: "" }));
  for (let item = open.pop(); item !== undefined; item = open.pop()) {
    const { entry, parent, lead, below } = item;
    if ("nodes" in entry) {
      rows.push({ kind: "fold", lead, fold: entry });
      continue;
    }
    rows.push({ kind: "span", lead, node: entry, parent });
    const stem = below.length < maxIndent ? below : below.slice(0, maxIndent);
    for (const [index, child] of entriesOf(entry.children, fold).reverse().entries()) {
      const [branch, trunk] = index === 0 ? ["└─ ", "   "] : ["├─ ", "│  "];
      open.push({ entry: child, parent: entry, lead: stem + branch, below: stem + trunk });
    }
  }
  return rows;
}
