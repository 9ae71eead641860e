import { chmod, chown, stat } from "node:fs/promises";

const setgid = 0o2000;

/** Gives one directory to a group, and with it what will be made in it (agent-api 4.2: option `fsgid=`). */
export async function giveToGroup(path: string, gid: number): Promise<void> {
  const { uid, mode } = await stat(path);
  await chown(path, uid, gid);
  await chmod(path, (mode & 0o7777) | setgid);
}
