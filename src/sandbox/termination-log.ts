import { constants } from "node:fs";
import { open } from "node:fs/promises";
import { AgentError } from "../base/agent-error.ts";
import { mayHang } from "../sys/may-hang.ts";

/** Kubernetes cuts termination messages there itself. */
const maxBytes = 4096;

/**
 * The first 4 KiB of a container's termination message; invalid UTF-8 is replaced, a missing file is empty
 * (agent-api 3.34). The container can write the file's name, so no link is followed and nothing but a plain file is
 * read. @throws INTERNAL.
 */
export async function readTerminationLog(path: string): Promise<string> {
  try {
    return await mayHang(path, () => firstText(path));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return "";
    throw AgentError.from(error, "read the termination message");
  }
}

async function firstText(path: string): Promise<string> {
  const file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  try {
    if (!(await file.stat()).isFile()) return "";
    const buffer = Buffer.alloc(maxBytes);
    const { bytesRead } = await file.read(buffer, 0, maxBytes, 0);
    return buffer.toString("utf8", 0, bytesRead);
  } finally {
    await file.close();
  }
}
