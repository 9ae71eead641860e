import { pid } from "../base/ids.ts";
import { type Child, followChild } from "./child.ts";
import { kernel } from "./kernel.ts";

/** A descriptor the child gets, or `"null"` for /dev/null. It stays open in our process: its owner closes it. */
export type Stdio = number | "null";

/** What to start. Nothing of our own environment, descriptors, signal mask or handlers is passed on. */
export type SpawnRequest = {
  /** A path, or a name that is looked up in the PATH of `env`. */
  file: string;
  /** Without the name of the program itself, which is `file`. */
  args: readonly string[];
  env: Readonly<Record<string, string>>;
  /** Default: our own. */
  cwd?: string;
  stdio: readonly [stdin: Stdio, stdout: Stdio, stderr: Stdio];
  /** Become descriptors 3, 4, … of the child. */
  extraFds?: readonly number[];
  /** The child leads a session of its own, without a terminal. */
  newSession?: boolean;
  /** Its stdin becomes its controlling terminal; needs `newSession`. */
  controllingTerminal?: boolean;
};

const newSessionFlag = 1;
const controllingTerminalFlag = 2;
const nullDevice = -1;
const defaultPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/** The paths to try for a program name, in order; a name with a slash is a path already. */
export function candidatePaths(file: string, path: string = defaultPath): string[] {
  if (file.includes("/")) return [file];
  return path.split(":").map((folder) => `${folder === "" ? "." : folder}/${file}`);
}

/**
 * Starts a program; it has begun to run (or failed to) when this returns. Its end is `exited`, which nobody needs to
 * wait for: the zombie is taken in any case.
 * @throws ENOENT, EACCES, … with `syscall` telling the step that failed (execve, chdir, open, …).
 */
export function spawn(request: SpawnRequest): Child {
  const [processId, pidfd] = kernel.spawn(...planOf(request));
  return followChild(pid(processId), pidfd);
}

/**
 * The same off the event loop: until a new process has its program, which on a busy machine takes milliseconds, whoever
 * starts it sleeps. The descriptors of `stdio` must stay open until then. The child may end before this resolves, and is
 * a stranger to the reaper that long: the caller holds that off by `Reaper.expect`.
 */
export async function spawnAside(request: SpawnRequest): Promise<Child> {
  const [processId, pidfd] = await kernel.spawnAside(...planOf(request));
  return followChild(pid(processId), pidfd);
}

function planOf(request: SpawnRequest): Parameters<typeof kernel.spawn> {
  const flags =
    (request.newSession === true ? newSessionFlag : 0) |
    (request.controllingTerminal === true ? controllingTerminalFlag : 0);
  const { PATH } = request.env;
  return [
    candidatePaths(request.file, PATH),
    [request.file, ...request.args],
    Object.entries(request.env).map(([name, value]) => `${name}=${value}`),
    request.cwd ?? null,
    [...request.stdio, ...(request.extraFds ?? [])].map((fd) => (fd === "null" ? nullDevice : fd)),
    flags,
  ];
}
