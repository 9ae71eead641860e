import { dirname, join } from "node:path";
import { build } from "esbuild";
import { addCodeCache, moduleFunction } from "./code-cache.ts";
import { lateBuiltins, packagesApart, pinoWithoutTransports } from "./late-modules.ts";
import type { Program } from "./programs.ts";

/**
 * Bundles a program and all it imports, minified: `<base>.cjs` is what Node runs, with what it loads beside it.
 * Says itself what is wrong, then throws.
 */
export async function bundle(root: string, program: Program, base: string): Promise<void> {
  await build({
    absWorkingDir: root,
    entryPoints: [program.entry],
    outfile: `${base}.bundle.js`,
    banner: { js: moduleFunction.before },
    footer: { js: moduleFunction.after },
    bundle: true,
    platform: "node",
    // The ES builds of packages lose what nobody uses; the OpenTelemetry SDK costs 7 MB of memory otherwise.
    mainFields: ["module", "main"],
    target: "node26",
    // Node compiles CommonJS without the promise machinery of ES modules, which is what a start waits for.
    format: "cjs",
    define: { "import.meta.dirname": "__dirname" },
    inject: [join(import.meta.dirname, "late-performance.ts")],
    external: ["*.node"],
    // import() becomes require, which needs none of the loader for ES modules.
    supported: { "dynamic-import": false },
    plugins: [lateBuiltins, pinoWithoutTransports, packagesApart(dirname(base))],
    minify: true,
    // Node prints the line of source that threw, and a whole bundle on the console helps nobody.
    lineLimit: 200,
    // One byte per character lets V8 keep the source as it was read.
    charset: "ascii",
    legalComments: "external",
    logLevel: "warning",
    logLimit: 10,
  });
  addCodeCache(program, base);
}
