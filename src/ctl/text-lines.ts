import { toJson } from "./to-json.ts";

const isEmpty = (value: unknown): boolean =>
  (Array.isArray(value) && value.length === 0) ||
  (typeof value === "object" && value !== null && Object.keys(value).length === 0);

function lines(value: unknown, indent: string): string[] {
  if (typeof value !== "object" || value === null) return [`${indent}${String(value)}`];
  return Object.entries(value).flatMap(([name, field]) => {
    if (isEmpty(field)) return [];
    if (Array.isArray(field) && field.every((item) => typeof item !== "object"))
      return [`${indent}${name}: ${field.join(" ")}`];
    if (typeof field !== "object" || field === null) return [`${indent}${name}: ${String(field)}`];
    return [`${indent}${name}:`, ...lines(field, `${indent}  `)];
  });
}

/** A message for people: a line per field, nested ones indented, empty lists and maps left out. */
export function textLines(message: object): string[] {
  return lines(toJson(message), "");
}
