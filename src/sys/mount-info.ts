/** One line of /proc/self/mountinfo, see proc(5). Paths are unescaped. */
export type MountInfo = {
  id: number;
  parentId: number;
  /** `major:minor` */
  device: string;
  /** What of the file system is mounted, `/` unless it is a bind mount of a part. */
  root: string;
  mountPoint: string;
  options: readonly string[];
  /** Propagation: `shared:1`, `master:2`, … */
  optionalFields: readonly string[];
  fsType: string;
  source: string;
  superOptions: readonly string[];
};

/** The kernel writes blank, tab, line feed and backslash as octal. */
function unescapeOctal(text: string): string {
  if (!text.includes("\\")) return text;
  const latin1 = Buffer.from(text).toString("latin1");
  const bytes = latin1.replace(/\\([0-7]{3})/g, (_, octal: string) =>
    String.fromCharCode(Number.parseInt(octal, 8)),
  );
  return Buffer.from(bytes, "latin1").toString();
}

function parseLine(line: string): MountInfo | undefined {
  const fields = line.split(" ");
  const separator = fields.indexOf("-", 6);
  const [id, parentId, device, root, mountPoint, options] = fields;
  const [fsType, source, superOptions] = fields.slice(separator + 1);
  if (separator < 0 || options === undefined || superOptions === undefined) return undefined;
  return {
    id: Number(id),
    parentId: Number(parentId),
    device: device ?? "",
    root: unescapeOctal(root ?? ""),
    mountPoint: unescapeOctal(mountPoint ?? ""),
    options: options.split(","),
    optionalFields: fields.slice(6, separator),
    fsType: fsType ?? "",
    source: unescapeOctal(source ?? ""),
    superOptions: superOptions.split(","),
  };
}

/** Reads the text of a mountinfo file, in its order: a later line may cover an earlier one. Odd lines are left out. */
export function parseMountInfo(text: string): MountInfo[] {
  return text
    .split("\n")
    .map(parseLine)
    .filter((info) => info !== undefined);
}
