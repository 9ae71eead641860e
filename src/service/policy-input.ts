import type { CopyFileRequest } from "../gen/agent.ts";
import type { Field, MessageType } from "../gen/message-type.ts";

/**
 * A request as policies see it (agent-api 8): fields by their names in the schema, but `type_`; bytes as numbers, enums
 * by number, a message that is absent as null, all else that is absent as its zero value. The text is built piece by
 * piece, since numbers of 64 bits have to stay whole.
 */
export function policyInput(type: MessageType, request: object): string {
  if (type.name === "grpc.CopyFileRequest") return copyFileInput(request as CopyFileRequest);
  return messageJson(type, request as Values);
}

type Values = Readonly<Record<string, unknown>>;

/** Names that are words of the language that policies' first agent is written in. */
const renamed: Readonly<Record<string, string>> = { type: "type_" };

function messageJson(type: MessageType, message: Values): string {
  const members = type.fields.map((field) => {
    const value = message[field[1]];
    if (field[1] === "errnoret") return `"ErrnoRet":${choiceJson("Errnoret", value)}`;
    return `"${renamed[field[1]] ?? field[1]}":${fieldJson(field, value)}`;
  });
  return `{${members.join(",")}}`;
}

/** The one `oneof` of the requests: an object that names the choice. */
function choiceJson(name: string, value: unknown): string {
  return value === undefined ? "null" : `{"${name}":${value}}`;
}

function fieldJson(field: Field, value: unknown): string {
  const [, , , rule] = field;
  if (value === undefined) return "null";
  if (rule === "repeated") {
    return `[${(value as readonly unknown[]).map((each) => valueJson(field, each)).join(",")}]`;
  }
  if (rule !== "map") return valueJson(field, value);
  const entries = [...(value as ReadonlyMap<string, unknown>)];
  return `{${entries.map(([key, each]) => `${JSON.stringify(key)}:${valueJson(field, each)}`).join(",")}}`;
}

function valueJson([, , kind, , type]: Field, value: unknown): string {
  if (kind === "message") return messageJson((type as () => MessageType)(), value as Values);
  if (kind === "bytes") return `[${(value as Uint8Array).join(",")}]`;
  if (kind === "string") return JSON.stringify(value);
  return String(value);
}

const typeBits = 0o170000;
const fileTypes: ReadonlyMap<number, string> = new Map([
  [0o100000, "Regular"],
  [0o040000, "Directory"],
  [0o120000, "Symlink"],
]);

/**
 * A piece of a file without its data. The target of a symlink is data that counts.
 * @throws TypeError when the target is not UTF-8.
 */
function copyFileInput(request: CopyFileRequest): string {
  const { path, file_size, file_mode, dir_mode, uid, gid, offset, data } = request;
  const fileType = fileTypes.get(file_mode & typeBits) ?? "Unknown";
  const target =
    fileType === "Symlink" ? new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(data) : null;
  const plain = { path, file_type: fileType, symlink_target: target, file_mode, dir_mode, uid, gid };
  return `${JSON.stringify(plain).slice(0, -1)},"file_size":${file_size},"offset":${offset}}`;
}
