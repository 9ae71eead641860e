import { absolutePath } from "../base/absolute-path.ts";
import { AgentError } from "../base/agent-error.ts";
import { Code } from "../base/code.ts";
import { mayHang } from "../sys/may-hang.ts";
import { makeDirectoryWithin } from "./share-directory.ts";

const template = /^\{\{ mount ([01]) \}\}(?=\/|$)/;
const mode = 0o755;

/**
 * Makes the directories that a group of layers wants before its overlay is mounted (agent-api 4.2.1): `{{ mount 0 }}`
 * stands for the upper, `{{ mount 1 }}` for the first lower, and without either a path is one of the upper. Links on the
 * way lead nowhere else: what is in a layer is not ours. @throws INTERNAL.
 */
export async function makeLayerDirectories(
  templates: readonly string[],
  upper: string,
  lower: string,
): Promise<void> {
  for (const text of templates) {
    const which = template.exec(text)?.[1];
    const path = absolutePath(`/${text.replace(template, "")}`, "directory of a layer");
    const names = path.split("/").filter((name) => name !== "" && name !== ".");
    try {
      const root = which === "1" ? lower : upper;
      using _made = await mayHang(root, () => makeDirectoryWithin(root, names, mode));
    } catch (error) {
      throw AgentError.from(error, "make a directory of a layer", Code.internal);
    }
  }
}
