// Gets the trace backends and senders that the forwarder's tests speak to, into .cache/backends:
//   node scripts/backends.ts [--jaeger]
// Jaeger takes some minutes of compiling and 2 GB of disk, so it is only got when it is asked for. One that cannot be had here (no Java, no Go, no registry) costs a line that says so; its tests then skip. What is
// there already is left alone.
import { execFile } from "node:child_process";
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);
const root = join(import.meta.dirname, "..");
const cache = join(root, ".cache/backends");
/** The collector takes two minutes of compiling where its modules are not in Go's cache, Jaeger eight; on a busy machine four times that. */
const limitMs = 60 * 60_000;
const zipkin = "io.zipkin:zipkin-server:3.6.1:jar:slim";
const datadogAgent = "ddapm-test-agent==1.69.1";
const jaeger = { module: "github.com/jaegertracing/jaeger", version: "v1.76.0" };

type Backend = {
  readonly name: string;
  /** File or folder below .cache/backends that stands for it. */
  readonly place: string;
  /** Makes it at a path that is moved to its place afterwards. */
  readonly get: (path: string) => Promise<unknown>;
};

const backends: readonly Backend[] = [
  { name: "Zipkin", place: "zipkin", get: getZipkin },
  { name: "the Datadog test agent", place: "datadog", get: getDatadogAgent },
  goProgram("the Datadog Agent's decoder", "datadog-judge"),
  goProgram("otel-cli", "otel-cli"),
  ...(process.argv.includes("--jaeger") ? [{ name: "Jaeger", place: "jaeger", get: getJaeger }] : []),
  goProgram("the OpenTelemetry Collector", "collector"),
];

function goProgram(name: string, place: string): Backend {
  const cwd = join(root, "test/interop", place);
  const flags = ["-mod=readonly", "-trimpath", "-ldflags=-s -w"];
  return { name, place, get: (path) => quietly("go", ["build", ...flags, "-o", path, "."], cwd) };
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

function quietly(
  file: string,
  args: readonly string[],
  cwd: string,
): Promise<{ stdout: string; stderr: string }> {
  return run("nice", [file, ...args], { cwd, timeout: limitMs, maxBuffer: 16 * 1024 * 1024 });
}

async function provide({ name, place, get }: Backend): Promise<void> {
  const wanted = join(cache, place);
  if (existsSync(wanted)) return;
  const making = join(cache, `${place}.${process.pid}`);
  const startMs = performance.now();
  try {
    await get(making);
    if (existsSync(making)) renameSync(making, wanted);
    const seconds = ((performance.now() - startMs) / 1000).toFixed(0);
    process.stdout.write(`got ${name} (${seconds} s)\n`);
  } catch (error) {
    rmSync(making, { recursive: true, force: true });
    const [reason = ""] = String((error as { stderr?: string }).stderr || (error as Error).message)
      .trim()
      .split("\n")
      .slice(-1);
    process.stdout.write(`${name} cannot be had here, its tests will be skipped: ${reason.slice(0, 200)}\n`);
  }
}

mkdirSync(cache, { recursive: true });
// Downloads and compiling take turns well: two at a time.
const [first, ...others] = [...backends].reverse();
const inTurn = async (list: readonly Backend[]) => {
  for (const backend of list) await provide(backend);
};
await Promise.all([inTurn(first === undefined ? [] : [first]), inTurn(others)]);
