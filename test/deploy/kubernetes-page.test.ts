// The commands of docs/kubernetes.md that need a cluster, as far as they can be judged without one: what they would have
// a cluster make fits the schemas.
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "tap";
import { readPage } from "../../scripts/docs/page.ts";
import { faultsOf, kubeVersion } from "./manifests.ts";
import { runTool, skipWithoutTools } from "./tool.ts";

const root = join(import.meta.dirname, "../..");

/** Commands of the page that begin with this word, each as its words. */
function commands(program: string): string[][] {
  const { blocks } = readPage(readFileSync(join(root, "docs/kubernetes.md"), "utf8"));
  const shell = blocks
    .filter(({ language }) => language === "sh")
    .map(({ text }) => text.replace(/\\\n/g, " "));
  return shell
    .flatMap((text) => text.split("\n"))
    .map((line) => line.replace(/ #.*$/, "").trim().split(/\s+/))
    .filter(([first]) => first === program);
}

async function made(tool: string, args: readonly string[]): Promise<string> {
  const { ok, stdout, output } = await runTool(tool, args);
  if (!ok) throw new Error(output);
  return stdout;
}

test("what the page has helm install fits the schemas", {
  skip: skipWithoutTools("chart-judge", "kubeconform", "schemas", "operator-schemas"),
}, async (t) => {
  const installs = commands("helm").filter(([, verb]) => verb === "upgrade");
  t.ok(installs.length > 0);
  for (const [, , , name = "", chart = "", ...values] of installs) {
    const manifests = await made("chart-judge", [
      "template",
      name,
      join(root, chart),
      kubeVersion,
      ...values,
    ]);
    t.match(manifests, "registry.example/kata-agent-node-guest:");
    t.equal(await faultsOf(manifests), "");
  }
});

test("what the page has kubectl apply fits the schemas", {
  skip: skipWithoutTools("kustomize", "kubeconform", "schemas", "operator-schemas"),
}, async (t) => {
  const folders = commands("kubectl").flatMap((words) => words[words.indexOf("-k") + 1] ?? []);
  const given = [...new Set(folders.filter((folder) => folder.startsWith("deploy/")))];
  t.ok(given.length >= 3);
  const manifests: string[] = [];
  for (const folder of given) manifests.push(await made("kustomize", ["build", join(root, folder)]));
  t.equal(await faultsOf(manifests.join("\n---\n")), "");
});

test("files that the page names are there", async (t) => {
  const named =
    readFileSync(join(root, "docs/kubernetes.md"), "utf8").match(/(?<![\w/])deploy\/[\w./-]+\w/g) ?? [];
  t.ok(named.length > 0);
  for (const path of named) t.ok(existsSync(join(root, path)), path);
});
