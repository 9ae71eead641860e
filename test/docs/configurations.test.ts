import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "smol-toml";
import t from "tap";
import { parseAllDocuments } from "yaml";
import { readPage } from "../../scripts/docs/page.ts";
import { allPages } from "../../scripts/docs/page-faults.ts";
import { loadOptions } from "../../src/agent/options/load-options.ts";
import { optionTable } from "../../src/agent/options/options.ts";
import { lookAtConfig } from "../../src/ctl/doctor-words.ts";
import { readConfigFile } from "../../src/forwarder/config-file.ts";

/** Configurations of the documentation are read by the programs that they are for. */

const root = join(import.meta.dirname, "../..");

/** Who reads a configuration; the result is what is wrong with it. */
const readers: Readonly<Record<string, (text: string, file: string) => Promise<readonly string[]>>> = {
  "kata-trace-forwarder": forwarderFaults,
  "kata-agent": agentFaults,
  kata: kataFaults,
  kubernetes: async (text) => kubernetesFaults(text),
  helm: async () => [],
  collector: async (text) => collectorFaults(text),
};

async function forwarderFaults(text: string, file: string): Promise<string[]> {
  // Certificates are read with the file, so those that it names have to be there.
  const [folder, key] = [file.replace(/[^/]*$/, ""), join(file, "../tls.pem")];
  writeFileSync(key, certificate(folder));
  writeFileSync(
    file,
    text.replace(/^(ca|cert|key)_file = .*?( #.*)?$/gm, `$1_file = ${JSON.stringify(key)}`),
  );
  const { backends, listen, watch } = await readConfigFile(file);
  return backends.length + listen.length + watch.length > 0 ? [] : ["says nothing"];
}

function certificate(folder: string): string {
  const [key, certificate] = [join(folder, "key"), join(folder, "certificate")];
  const args = ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=docs"];
  execFileSync("openssl", [...args, "-keyout", key, "-out", certificate], { stdio: "ignore" });
  return readFileSync(certificate, "utf8") + readFileSync(key, "utf8");
}

async function agentFaults(text: string, file: string): Promise<readonly string[]> {
  writeFileSync(file, text);
  const known = new Set(Object.values(optionTable).map((row) => ("file" in row ? row.file : undefined)));
  const unknown = Object.keys(parse(text)).filter((key) => !known.has(key));
  const { warnings } = await loadOptions({ configFile: file, env: {}, cmdlineFile: "/dev/null" });
  return [...warnings, ...unknown.map((key) => `no option ${key}`)];
}

/** As doctor reads it; what is shown of the runtime's configuration turns tracing on. */
async function kataFaults(text: string, file: string): Promise<string[]> {
  writeFileSync(file, text);
  const { state, what } = await lookAtConfig(file);
  return state === "ok" ? [] : [what];
}

function kubernetesFaults(text: string): string[] {
  return parseAllDocuments(text)
    .map((document) => document.toJS() as Record<string, unknown> | null)
    .filter((one) => typeof one?.["apiVersion"] !== "string" || typeof one["kind"] !== "string")
    .map(() => "an object without apiVersion and kind");
}

function collectorFaults(text: string): string[] {
  const config = parseAllDocuments(text)[0]?.toJS() as Record<string, unknown> | undefined;
  return ["receivers", "exporters", "service"]
    .filter((key) => config?.[key] === undefined)
    .map((key) => `no ${key}`);
}

for (const path of allPages()) {
  for (const { mark, text, line } of readPage(readFileSync(join(root, path), "utf8")).blocks) {
    if (mark?.kind !== "read by") continue;
    t.test(`the configuration in line ${line} of ${path} is read by ${mark.text}`, async (t) => {
      const read = readers[mark.text];
      const file = join(t.testdir(), "configuration.toml");
      const known = `known are ${Object.keys(readers).join(", ")}`;
      t.same(await (read?.(text, file) ?? [known]), []);
    });
  }
}

t.test("a configuration that is none is seen", async (t) => {
  const file = join(t.testdir(), "configuration.toml");
  await t.rejects(forwarderFaults('lissen = ["tcp://localhost:1"]', file), /lissen is not known/);
  t.match(await agentFaults('tracing = "often"\nnone = 1', file), [
    /tracing has a bad value/,
    "no option none",
  ]);
  t.match(await kataFaults("[agent.kata]\nenable_tracing = false\n", file), [/asks for no trace/]);
  t.same(kubernetesFaults("apiVersion: v1\nkind: Pod\n---\na: 1\n"), [
    "an object without apiVersion and kind",
  ]);
  t.same(collectorFaults("receivers: {}\nservice: {}\n"), ["no exporters"]);
});
