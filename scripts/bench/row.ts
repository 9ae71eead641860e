/** One line of the table: a figure of ours beside what was measured in the same run. */
export type Row = {
  readonly name: string;
  readonly unit: string;
  readonly figure: number;
  /** What stands beside it, and the figure of that. */
  readonly beside?: string;
  readonly baseline?: number;
  /** The figure over its baseline. */
  readonly ratio?: number;
  /** What is to be reached, in words. */
  readonly target: string;
};

/** Makes a row without a baseline. */
export function row(name: string, unit: string, figure: number, target: string): Row {
  return { name, unit, figure: rounded(figure), target };
}

/** Makes a row beside a baseline of the same unit. */
export function rowBeside(
  name: string,
  unit: string,
  figure: number,
  beside: string,
  baseline: number,
  target: string,
): Row {
  const ratio = Number((figure / baseline).toFixed(2));
  return { ...row(name, unit, figure, target), beside, baseline: rounded(baseline), ratio };
}

/** The rows as text, columns aligned. */
export function table(rows: readonly Row[]): string {
  const cells = [
    ["", "figure", "", "beside", "", "ratio", "target"],
    ...rows.map((each) => [
      each.name,
      String(each.figure),
      each.unit,
      each.beside ?? "",
      each.baseline === undefined ? "" : String(each.baseline),
      each.ratio?.toFixed(2) ?? "",
      each.target,
    ]),
  ];
  const widths =
    cells[0]?.map((_, column) => Math.max(...cells.map((line) => line[column]?.length ?? 0))) ?? [];
  const numeric = new Set([1, 4, 5]);
  const aligned = (text: string, column: number) =>
    numeric.has(column) ? text.padStart(widths[column] ?? 0) : text.padEnd(widths[column] ?? 0);
  return cells.map((line) => line.map(aligned).join("  ").trimEnd()).join("\n");
}

/** Three digits that mean something. */
function rounded(value: number): number {
  if (!Number.isFinite(value)) return value;
  return Math.abs(value) >= 1000 ? Math.round(value) : Number(value.toPrecision(3));
}
