// Gets the trace backends and senders that the forwarder's tests speak to, into .cache/backends:
//   node scripts/backends.ts [--jaeger]
// Jaeger takes some minutes of compiling and 2 GB of disk, so it is only got when it is asked for. One that cannot be had here (no Java, no Go, no registry) costs a line that says so; its tests then skip. What is
// there already is left alone.
import { copyFileSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { goProgram, type Provision, provide, quietly } from "./provide.ts";

const root = join(import.meta.dirname, "..");
const cache = join(root, ".cache/backends");
const zipkin = "io.zipkin:zipkin-server:3.6.1:jar:slim";
const datadogAgent = "ddapm-test-agent==1.69.1";
const jaeger = { module: "github.com/jaegertracing/jaeger", version: "v1.76.0" };

const backends: readonly Provision[] = [
  { name: "Zipkin", place: "zipkin", get: getZipkin },
  { name: "the Datadog test agent", place: "datadog", get: getDatadogAgent },
  inGo("the Datadog Agent's decoder", "datadog-judge"),
  inGo("otel-cli", "otel-cli"),
  ...(process.argv.includes("--jaeger") ? [{ name: "Jaeger", place: "jaeger", get: getJaeger }] : []),
  inGo("the OpenTelemetry Collector", "collector"),
];

function inGo(name: string, place: string): Provision {
  return goProgram(name, place, join(root, "test/interop", place));
}

function getZipkin(path: string): Promise<unknown> {
  const options = [`-Dartifact=${zipkin}`, `-DoutputDirectory=${path}`];
  return quietly("mvn", ["-q", "-B", "dependency:copy", ...options], root);
}

/** A Python environment knows its own path, so it is made in place. */
async function getDatadogAgent(): Promise<void> {
  const place = join(cache, "datadog");
  try {
    await quietly("python3", ["-m", "venv", place], root);
    await quietly(join(place, "bin/pip"), ["-q", "install", datadogAgent], root);
  } catch (error) {
    rmSync(place, { recursive: true, force: true });
    throw error;
  }
}

/**
 * Jaeger's module replaces another one, so Go does not install it by its name: it is built from a module of its own
 * that has Jaeger's lists of modules and of their sums.
 */
async function getJaeger(path: string): Promise<void> {
  const { module, version } = jaeger;
  const cwd = `${path}.module`;
  mkdirSync(cwd);
  try {
    const { stdout } = await quietly("go", ["mod", "download", "-json", `${module}@${version}`], cwd);
    const { Dir } = JSON.parse(stdout) as { Dir: string };
    const wanted = `module jaeger.test/build\n\nrequire ${module} ${version}`;
    writeFileSync(
      join(cwd, "go.mod"),
      readFileSync(join(Dir, "go.mod"), "utf8").replace(/^module .*$/m, wanted),
    );
    copyFileSync(join(Dir, "go.sum"), join(cwd, "go.sum"));
    const flags = ["-mod=mod", "-trimpath", "-ldflags=-s -w"];
    await quietly("go", ["build", ...flags, "-o", path, `${module}/cmd/jaeger`], cwd);
  } finally {
    rmSync(cwd, { recursive: true, force: true });
  }
}

mkdirSync(cache, { recursive: true });
// Downloads and compiling take turns well: two at a time.
const [first, ...others] = [...backends].reverse();
const inTurn = async (list: readonly Provision[]) => {
  for (const backend of list) await provide(cache, backend);
};
await Promise.all([inTurn(first === undefined ? [] : [first]), inTurn(others)]);
