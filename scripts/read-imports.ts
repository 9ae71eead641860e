import { parseSync } from "oxc-parser";

/** One `import`, `export … from`, `import()` or `import("…")` type of a source file. */
export type Import = { readonly specifier: string; readonly line: number; readonly typeOnly: boolean };

/** One use of a global that has effects: `console`, or a property of `process` as `process.exit`. */
export type GlobalUse = { readonly name: string; readonly line: number };

/** What a source file takes from outside itself. */
export type Facts = { readonly imports: readonly Import[]; readonly globals: readonly GlobalUse[] };

// The few fields of a syntax node that are looked at; each kind of node has some of them.
type Node = {
  readonly type: string;
  readonly start: number;
  readonly source?: unknown;
  readonly expression?: unknown;
  readonly callee?: unknown;
  readonly arguments?: readonly unknown[];
  readonly importKind?: string;
  readonly exportKind?: string;
  readonly specifiers?: readonly Node[];
  readonly object?: unknown;
  readonly property?: unknown;
  readonly computed?: boolean;
  readonly init?: unknown;
  readonly id?: unknown;
  readonly properties?: readonly Node[];
  readonly key?: unknown;
  readonly name?: unknown;
  readonly value?: unknown;
};

/** Reads what `source` imports and which globals it uses. Throws an Error when it does not parse. */
export function readImports(path: string, source: string): Facts {
  const { program, errors } = parseSync(path, source);
  if (errors[0]) throw new Error(`${path}: ${errors[0].message}`);
  const imports: Import[] = [];
  const globals: GlobalUse[] = [];
  const lineOf = (node: Node): number => source.slice(0, node.start).split("\n").length;
  walk(program, (node) => {
    const specifier = specifierOf(node);
    if (specifier !== undefined) imports.push({ specifier, line: lineOf(node), typeOnly: isTypeOnly(node) });
    const name = globalOf(node);
    if (name !== undefined) globals.push({ name, line: lineOf(node) });
  });
  return { imports, globals };
}

function isNode(value: unknown): value is Node {
  return typeof value === "object" && value !== null && typeof (value as Node).type === "string";
}

function walk(node: unknown, visit: (node: Node) => void): void {
  if (Array.isArray(node)) {
    for (const item of node) walk(item, visit);
    return;
  }
  if (!isNode(node)) return;
  visit(node);
  for (const child of Object.values(node)) if (typeof child === "object") walk(child, visit);
}

function specifierOf(node: Node): string | undefined {
  switch (node.type) {
    case "ImportDeclaration":
    case "ExportAllDeclaration":
    case "ExportNamedDeclaration":
    case "TSImportType":
      return literal(node.source);
    case "ImportExpression":
      // What cannot be read cannot be judged, so it counts as an import of the unknown.
      return literal(node.source) ?? "(computed)";
    case "TSExternalModuleReference":
      return literal(node.expression);
    case "CallExpression":
      return isNamed(node.callee, "require") ? literal(node.arguments?.[0]) : undefined;
    default:
      return undefined;
  }
}

function isTypeOnly(node: Node): boolean {
  if (node.type === "TSImportType") return true;
  if (node.importKind === "type" || node.exportKind === "type") return true;
  if (!node.specifiers?.length) return false;
  return node.specifiers.every(
    ({ importKind, exportKind }) => importKind === "type" || exportKind === "type",
  );
}

function globalOf(node: Node): string | undefined {
  if (node.type === "MemberExpression") {
    const property = propertyOf(node);
    if (isProcess(node.object)) return `process.${property ?? "(computed)"}`;
    if (isNamed(node.object, "globalThis")) return property === "process" ? undefined : property;
    return isNamed(node.object, "console") ? "console" : undefined;
  }
  // `const { env } = process`
  if (node.type === "VariableDeclarator" && isProcess(node.init) && isNode(node.id)) {
    const first = node.id.properties?.[0];
    return first && isNode(first.key) ? `process.${String(first.key.name)}` : undefined;
  }
  return undefined;
}

function isProcess(node: unknown): boolean {
  if (isNamed(node, "process")) return true;
  return (
    isNode(node) &&
    node.type === "MemberExpression" &&
    isNamed(node.object, "globalThis") &&
    propertyOf(node) === "process"
  );
}

function propertyOf(node: Node): string | undefined {
  if (node.computed) return literal(node.property);
  return isNode(node.property) ? String(node.property.name) : undefined;
}

function isNamed(node: unknown, name: string): boolean {
  return isNode(node) && node.type === "Identifier" && node.name === name;
}

function literal(node: unknown): string | undefined {
  return isNode(node) && node.type === "Literal" && typeof node.value === "string" ? node.value : undefined;
}
