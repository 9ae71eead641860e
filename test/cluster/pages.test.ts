// The commands of the documentation that need a cluster, run as their reader runs them, beside those that need none.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "tap";
import { readPage } from "../../scripts/docs/page.ts";
import { allPages } from "../../scripts/docs/page-faults.ts";
import { missingLines, printedBlocks, runCommands, scriptOf } from "../docs/run-page.ts";
import { programs, skipWithoutControlPlane } from "./programs.ts";
import { skipWithoutPods } from "./run-pod.ts";

const root = join(import.meta.dirname, "../..");
const skip = skipWithoutControlPlane() || skipWithoutPods();
const folder = "/tmp/cluster";
const start = `{ set +x; } 2>/dev/null
export KUBECONFIG=${folder}/kubeconfig.json PATH="${programs}:$PATH"
${process.execPath} ${join(import.meta.dirname, "serve.ts")} ${folder} &
until [ -e ${folder}/ready ]; do kill -0 $!; sleep 0.1; done
set -x
`;

for (const path of allPages()) {
  const page = readPage(readFileSync(join(root, path), "utf8"));
  const script = scriptOf(page, "cluster");
  if (script === "") continue;
  test(`in a cluster the commands of ${path} do what it says`, { skip }, async (t) => {
    const { code, output } = await runCommands(`${start}${script}`);
    t.equal(code, 0, output);
    for (const { text, line } of [...printedBlocks(page), ...printedBlocks(page, "cluster")])
      t.same(missingLines(text, output), [], `line ${line}: ${output}`);
  });
}
