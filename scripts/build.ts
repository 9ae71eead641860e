// Builds the three programs into build/: one bundle each below build/lib, with the addon, the trace page and the pinned
// Node beside them, and a small static launcher as the executable. What is newer than its sources is left alone.
// For another architecture than this machine's, into build/<architecture>: by the cross compiler, and with the bundles
// as they are in build/lib.
//
//   node scripts/build.ts [--arch amd64|arm64]
import { execFileSync } from "node:child_process";
import {
  copyFileSync,
  cpSync,
  existsSync,
  globSync,
  linkSync,
  mkdirSync,
  readFileSync,
  rmSync,
  statSync,
} from "node:fs";
import { join } from "node:path";
import { buildPage } from "./build-page.ts";
import { buildPolicyEngine } from "./build-policy.ts";
import { bundle } from "./bundle.ts";
import { type Program, programs } from "./programs.ts";
import { buildTarget, hasCompiler, nodeFor, wantedArchitecture } from "./target.ts";

const root = join(import.meta.dirname, "..");
const target = buildTarget(root, wantedArchitecture(process.argv.slice(2)));
const { out, compiler } = target;
const lib = join(out, "lib");

const launcherSource = join(root, "src/sys/native/launcher.c");
const addonSources = newest("{src/sys/native/*,scripts/build-native.ts}");
const policySources = newest("{src/sys/policy-engine/{Cargo.*,src/*},scripts/build-policy.ts}");
const launcherSources = newest("{src/sys/native/launcher.c,scripts/{programs,build}.ts}");
const hookSource = join(root, "src/sys/native/hook.c");
const hookSources = newest("{src/sys/native/hook.c,scripts/build.ts}");
const staticFlags = ["-Os", "-s", "-static", "-D_GNU_SOURCE", "-Wall", "-Wextra", "-Werror"];
// The lock file stands for what is in node_modules.
const bundleSources = newest(
  "{src/**/*.ts,scripts/{bundle,code-cache,late-modules,late-performance,programs}.ts,package-lock.json}",
);

const pageSources = newest("{src/{page,view}/*,scripts/build-page.ts,package-lock.json}");

/** When the youngest of these files was written, ms since 1970. */
function newest(pattern: string): number {
  return Math.max(...globSync(pattern, { cwd: root }).map((path) => statSync(join(root, path)).mtimeMs));
}

const isStale = (path: string, sourcesMs: number): boolean =>
  !existsSync(path) || statSync(path).mtimeMs <= sourcesMs;

function buildAddon(): boolean {
  const [made, placed] = [join(out, "kata.node"), join(lib, "kata.node")];
  if (!isStale(placed, addonSources)) return false;
  execFileSync(process.execPath, [join(root, "scripts/build-native.ts"), "--out", made], {
    stdio: "inherit",
    env: { ...process.env, CC: compiler },
  });
  // Never overwritten in place: a running program has it mapped.
  rmSync(placed, { force: true });
  copyFileSync(made, placed);
  return true;
}

/** The pinned Node beside the bundles: a link where that can be, so that it costs no space. */
function placeNode(): void {
  const node = nodeFor(root, target);
  const place = join(lib, "node");
  if (existsSync(place) && statSync(place).size === statSync(node).size) return;
  rmSync(place, { force: true });
  try {
    linkSync(node, place);
  } catch {
    copyFileSync(node, place);
  }
}

/** What runs the hooks of containers; it lies with the bundles, since only the agent needs to find it. */
function compileHookRunner(): boolean {
  const program = join(lib, "kata-hook");
  if (!isStale(program, hookSources)) return false;
  rmSync(program, { force: true });
  execFileSync(compiler, [...staticFlags, hookSource, "-o", program], { stdio: "inherit" });
  return true;
}

function compileLauncher({ name, nodeFlags, environment }: Program): boolean {
  const launcher = join(out, name);
  if (!isStale(launcher, launcherSources)) return false;
  const flags = nodeFlags.map((flag) => `"${flag}",`).join("");
  const variables = Object.entries(environment).map(([variable, value]) => `{"${variable}", "${value}"},`);
  const defines = [`-DPROGRAM="${name}"`, `-DNODE_FLAGS=${flags}`, `-DENVIRONMENT=${variables.join("")}`];
  rmSync(launcher, { force: true });
  execFileSync(compiler, [...staticFlags, ...defines, launcherSource, "-o", launcher], { stdio: "inherit" });
  return true;
}

async function bundleProgram(program: Program): Promise<boolean> {
  const base = join(lib, program.name);
  if (!isStale(`${base}.cjs`, bundleSources)) return false;
  await bundle(root, program, base);
  return true;
}

/** What every processor can run is the same; code that V8 made is not among it. */
function copyBundles(): boolean {
  const from = join(root, "build/lib");
  const names = globSync("*.{cjs,js,html,txt}", { cwd: from });
  if (names.length === 0) throw new Error("there are no bundles in build/lib yet: node scripts/build.ts");
  const isSame = (name: string): boolean =>
    existsSync(join(lib, name)) && readFileSync(join(lib, name)).equals(readFileSync(join(from, name)));
  const changed = names.filter((name) => !isSame(name));
  for (const name of changed) cpSync(join(from, name), join(lib, name), { preserveTimestamps: true });
  return changed.length > 0;
}

async function placePage(): Promise<boolean> {
  const page = join(lib, "trace-page.html");
  if (!isStale(page, pageSources)) return false;
  await buildPage(root, page);
  return true;
}

const startMs = performance.now();
const built: string[] = [];
if (!hasCompiler(target))
  throw new Error(`${compiler} is missing: apt-get install ${target.compilerPackage}`);
mkdirSync(lib, { recursive: true });
placeNode();
if (buildAddon()) built.push("the addon");
if (isStale(join(lib, "policy.node"), policySources) && buildPolicyEngine(root, lib, target))
  built.push("the policy engine");
if (compileHookRunner()) built.push("the hook runner");
if (target.isNative ? await placePage() : copyBundles())
  built.push(target.isNative ? "the trace page" : "the bundles");
for (const program of programs.filter(({ entry }) => existsSync(join(root, entry)))) {
  try {
    const fresh = [target.isNative && (await bundleProgram(program)), compileLauncher(program)];
    if (fresh.includes(true)) built.push(program.name);
  } catch {
    // The bundler or the compiler has said why; the other programs are built all the same.
    process.stdout.write(`${program.name} was not built\n`);
    process.exitCode = 1;
  }
}
const seconds = ((performance.now() - startMs) / 1000).toFixed(1);
const whereFor = target.isNative ? "" : ` for ${target.architecture}`;
if (built.length > 0) process.stdout.write(`built ${built.join(", ")}${whereFor} (${seconds} s)\n`);
