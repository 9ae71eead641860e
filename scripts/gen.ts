/**
 * Writes src/gen from protos: types and field tables of all messages, and the table of methods.
 *
 *   node scripts/gen.ts          writes
 *   node scripts/gen.ts --check  compares, names what differs, and exits 1 if anything does
 */
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import protobuf from "protobufjs";

/** Which proto files end up in which module. */
const modules: Readonly<Record<string, readonly string[]>> = {
  "empty.ts": ["google/protobuf/empty.proto"],
  "types.ts": ["types/types.proto"],
  "oci.ts": ["grpc/oci.proto"],
  "csi.ts": ["grpc/csi.proto"],
  "agent.ts": ["grpc/agent.proto"],
  "health.ts": ["grpc/health.proto"],
  "trace-control.ts": ["kata/trace.proto"],
  "ttrpc.ts": ["ttrpc/ttrpc.proto"],
  "otlp.ts": [
    "opentelemetry/proto/common/v1/common.proto",
    "opentelemetry/proto/resource/v1/resource.proto",
    "opentelemetry/proto/trace/v1/trace.proto",
    "opentelemetry/proto/collector/trace/v1/trace_service.proto",
  ],
};
/** Services that the agent serves or calls; their order is that of the method list. */
const services = ["grpc.AgentService", "grpc.Health", "kata.trace.v1.TraceControl"];

const repository = join(import.meta.dirname, "..");
const target = join(repository, "src/gen");
const header =
  "// Made by scripts/gen.ts from protos/. Do not edit: change the proto file and run the script.\n";

const messageTypeModule = `${header}
/** Scalar types of protobuf that our messages use; 64-bit ones are \`bigint\` in TypeScript. */
export type Kind =
  | "bool" | "int32" | "uint32" | "int64" | "uint64" | "fixed32" | "fixed64" | "double"
  | "string" | "bytes" | "enum" | "message";

/**
 * One field: number, name, kind, how often it comes (nothing: once, and absent means the zero value; \`optional\`:
 * absent is \`undefined\`; \`map\`: by string keys), and the type of a message field.
 */
export type Field = readonly [
  number: number,
  name: string,
  kind: Kind,
  rule?: "repeated" | "optional" | "map" | undefined,
  type?: () => MessageType,
];

/** What a codec has to know of a message. \`create\` makes one with all fields at their zero value. */
export type MessageType<T extends object = object> = {
  readonly name: string;
  readonly fields: readonly Field[];
  readonly create: () => T;
};

/** A message to be encoded: every field may be left out, at every depth. */
export type Input<T> = T extends string | number | boolean | bigint | Uint8Array | undefined
  ? T
  : T extends ReadonlyMap<infer K, infer V>
    ? ReadonlyMap<K, Input<V>>
    : T extends readonly (infer E)[]
      ? readonly Input<E>[]
      : { readonly [P in keyof T]?: Input<T[P]> | undefined };
`;

const tsTypes: Readonly<Record<string, [type: string, zero: string]>> = {
  bool: ["boolean", "false"],
  int32: ["number", "0"],
  uint32: ["number", "0"],
  int64: ["bigint", "0n"],
  uint64: ["bigint", "0n"],
  fixed32: ["number", "0"],
  fixed64: ["bigint", "0n"],
  double: ["number", "0"],
  string: ["string", '""'],
  bytes: ["Uint8Array", "new Uint8Array(0)"],
};

function load(): protobuf.Root {
  const root = new protobuf.Root();
  root.resolvePath = (_origin, path) => (path in protobuf.common ? path : join(repository, "protos", path));
  root.loadSync(Object.values(modules).flat(), { keepCase: true, alternateCommentMode: true });
  root.resolveAll();
  return root;
}

/** Messages and enums of a file in the order of the file, nested ones behind the message that holds them. */
function* objectsOf(
  namespace: protobuf.NamespaceBase,
  file: string,
): Generator<protobuf.Type | protobuf.Enum> {
  for (const object of namespace.nestedArray) {
    const own =
      (object.filename ?? "google/protobuf/empty.proto").endsWith(file) || namespace instanceof protobuf.Type;
    if (own && (object instanceof protobuf.Type || object instanceof protobuf.Enum)) yield object;
    if (object instanceof protobuf.Namespace && (own || !(object instanceof protobuf.Type))) {
      yield* objectsOf(object, file);
    }
  }
}

type FieldText = { type: string; zero: string; table: string };

function fieldText(field: protobuf.Field): FieldText {
  const { resolvedType } = field;
  const kind = resolvedType instanceof protobuf.Enum ? "enum" : resolvedType ? "message" : field.type;
  const single =
    resolvedType instanceof protobuf.Type
      ? resolvedType.name
      : kind === "enum"
        ? "number"
        : tsTypes[kind]?.[0];
  if (single === undefined) throw new Error(`${field.fullName}: type ${field.type} is not supported`);
  const reference = kind === "message" ? `, () => ${single}` : "";
  const row = (rule: string) => `[${field.id}, "${field.name}", "${kind}"${rule}${reference}],`;
  if (field instanceof protobuf.MapField) {
    if (field.keyType !== "string") throw new Error(`${field.fullName}: only string keys are supported`);
    return { type: `Map<string, ${single}>`, zero: "new Map()", table: row(', "map"') };
  }
  if (field.repeated) return { type: `${single}[]`, zero: "[]", table: row(', "repeated"') };
  if (kind === "message")
    return { type: `${single} | undefined`, zero: "undefined", table: row(", undefined") };
  if (field.partOf) return { type: `${single} | undefined`, zero: "undefined", table: row(', "optional"') };
  return { type: single, zero: kind === "enum" ? "0" : (tsTypes[kind]?.[1] ?? ""), table: row("") };
}

/** Comment of the proto file above its TypeScript counterpart. */
function doc(object: protobuf.ReflectionObject, indent: string): string {
  const lines = (object.comment ?? "").split("\n").filter((line) => line !== "" && !line.startsWith("-"));
  return lines.length === 0 ? "" : `${indent}/** ${lines.join(`\n${indent} * `)} */\n`;
}

function messageText(type: protobuf.Type): string {
  const fields = [...type.fieldsArray]
    .sort((a, b) => a.id - b.id)
    .map((field) => ({ field, ...fieldText(field) }));
  const lines = (text: (f: (typeof fields)[number]) => string) => fields.map((f) => `${text(f)}\n`).join("");
  const list = fields.length === 0 ? "[]" : `[\n${lines((f) => `    ${f.table}`)}  ]`;
  const zero = fields.length === 0 ? "({})" : `({\n${lines((f) => `    ${f.field.name}: ${f.zero},`)}  })`;
  const shape =
    fields.length === 0
      ? "Record<never, never>"
      : `{\n${lines((f) => `${doc(f.field, "  ")}  ${f.field.name}: ${f.type};`)}}`;
  return `${doc(type, "")}export type ${type.name} = ${shape};
export const ${type.name}: MessageType<${type.name}> = {
  name: "${type.fullName.slice(1)}",
  fields: ${list},
  create: () => ${zero},
};
`;
}

function enumText(type: protobuf.Enum): string {
  const rows = Object.entries(type.values).map(([name, value]) => `  ${name}: ${value},\n`);
  return `${doc(type, "")}/** Unknown numbers may come: a field of this enum is a plain \`number\`. */\nexport const ${type.name} = {\n${rows.join("")}} as const;\n`;
}

/** Import lines for the message types that a module uses and does not hold. */
function imports(
  used: Iterable<protobuf.Type>,
  homes: ReadonlyMap<protobuf.ReflectionObject, string>,
  own: string,
): string {
  const byModule = new Map<string, Set<string>>();
  for (const type of used) {
    const home = homes.get(type);
    if (home === undefined) throw new Error(`${type.fullName} has no module`);
    if (home !== own) byModule.set(home, (byModule.get(home) ?? new Set()).add(type.name));
  }
  return [...byModule]
    .sort()
    .map(([module, names]) => `import { ${[...names].sort().join(", ")} } from "./${module}";\n`)
    .join("");
}

function moduleText(
  module: string,
  objects: readonly protobuf.ReflectionObject[],
  homes: ReadonlyMap<protobuf.ReflectionObject, string>,
): string {
  const names = objects.map((object) => object.name);
  const twice = names.find((name, at) => names.indexOf(name) !== at);
  if (twice !== undefined) throw new Error(`${module}: two objects named ${twice}`);
  const types = objects.filter((object) => object instanceof protobuf.Type);
  const used = types
    .flatMap((type) => type.fieldsArray.map((field) => field.resolvedType))
    .filter((type) => type instanceof protobuf.Type);
  const bodies = objects.map((object) =>
    object instanceof protobuf.Type ? messageText(object) : enumText(object as protobuf.Enum),
  );
  const head = `import type { MessageType } from "./message-type.ts";\n${imports(used, homes, module)}`;
  return `${header}\n${head}\n${bodies.join("\n")}`;
}

function serviceText(service: protobuf.Service): string {
  const full = service.fullName.slice(1);
  const rows = service.methodsArray.map((method) => {
    if (method.requestStream || method.responseStream)
      throw new Error(`${method.name}: streams are not supported`);
    const [request, response] = [method.resolvedRequestType?.name, method.resolvedResponseType?.name];
    return {
      table: `  ${method.name}: method("${full}", "${method.name}", ${request}, ${response}),\n`,
      shape: `  ${method.name}(request: ${request}, context: Context): Promise<${response}>;\n`,
    };
  });
  return `/** Handlers of all methods of \`${full}\`; \`Context\` is what each gets besides its request. */
export type ${service.name}<Context> = {
${rows.map((row) => row.shape).join("")}};

/** The methods of \`${full}\`, by name. */
export const ${service.name}Methods = {
${rows.map((row) => row.table).join("")}} as const;
`;
}

function methodsText(root: protobuf.Root, homes: ReadonlyMap<protobuf.ReflectionObject, string>): string {
  const found = services.map((name) => root.lookupService(name));
  const used = found
    .flatMap((service) => service.methodsArray)
    .flatMap((method) => [method.resolvedRequestType, method.resolvedResponseType])
    .filter((type) => type !== null);
  return `${header}
import type { MessageType } from "./message-type.ts";
${imports(used, homes, "methods.ts")}
/** One method as it stands on the wire. \`path\` is \`service/name\`, without a slash before it. */
export type MethodDescriptor<Request extends object = object, Response extends object = object> = {
  readonly service: string;
  readonly name: string;
  readonly path: string;
  readonly requestType: MessageType<Request>;
  readonly responseType: MessageType<Response>;
};

function method<Request extends object, Response extends object>(
  service: string,
  name: string,
  requestType: MessageType<Request>,
  responseType: MessageType<Response>,
): MethodDescriptor<Request, Response> {
  return { service, name, path: \`\${service}/\${name}\`, requestType, responseType };
}

${found.map(serviceText).join("\n")}
/** Every method of every service. */
export const allMethods: readonly MethodDescriptor[] = [
${found.map((service) => `  ...Object.values(${service.name}Methods),\n`).join("")}];
`;
}

/** All modules by file name. */
function generate(): Map<string, string> {
  const root = load();
  const homes = new Map<protobuf.ReflectionObject, string>();
  const contents = Object.entries(modules).map(([module, files]) => {
    const objects = files.flatMap((file) => [...objectsOf(root, file)]);
    for (const object of objects) homes.set(object, module);
    return { module, objects };
  });
  const texts = new Map([["message-type.ts", messageTypeModule]]);
  for (const { module, objects } of contents) texts.set(module, moduleText(module, objects, homes));
  return texts.set("methods.ts", methodsText(root, homes));
}

/** Names of the files in src/gen that are not what `texts` says, be it missing, different or left over. */
function differing(texts: ReadonlyMap<string, string>): string[] {
  const there = new Map(readdirSync(target).map((name) => [name, readFileSync(join(target, name), "utf8")]));
  const names = new Set([...texts.keys(), ...there.keys()]);
  return [...names].filter((name) => texts.get(name) !== there.get(name));
}

const texts = generate();
if (process.argv.includes("--check")) {
  const names = differing(texts);
  for (const name of names)
    process.stderr.write(`src/gen/${name} is not what protos/ say: run scripts/gen.ts\n`);
  process.exitCode = names.length === 0 ? 0 : 1;
} else {
  mkdirSync(target, { recursive: true });
  for (const [name, text] of texts) writeFileSync(join(target, name), text);
}
