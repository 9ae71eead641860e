/**
 * What a program loads only when it is used. Bundled code asks for all its modules before its first line runs; for a
 * guest that means milliseconds and megabytes for things that most of them never touch.
 */
import { createRequire } from "node:module";
import { join } from "node:path";
import { build, type OnResolveArgs, type OnResolveResult, type Plugin } from "esbuild";

const here = createRequire(import.meta.url);

/** Node's modules that are dear to load (crypto: 14 ms, 3 MB) and that our sources only use in some calls. */
const dear = /^(node:)?(crypto|fs\/promises)$/;

/** Hands out their exports by getters, so that the first use loads them. */
export const lateBuiltins: Plugin = {
  name: "late built-ins",
  setup({ onResolve, onLoad }) {
    onResolve({ filter: dear }, ({ path, namespace }) =>
      namespace === "late" ? { path, external: true } : { path, namespace: "late" },
    );
    onLoad({ filter: /./, namespace: "late" }, ({ path }) => {
      const names = JSON.stringify(Object.keys(here(path)));
      const getter = `{ get: () => require("${path}")[name], enumerable: true }`;
      return { contents: `for (const name of ${names}) Object.defineProperty(exports, name, ${getter});` };
    });
  },
};

/**
 * pino looks for worker threads and Node's module loader because a transport may run in another thread. Ours writes
 * to a descriptor, so both stay away; and the one assertion of its stream needs no library.
 */
export const pinoWithoutTransports: Plugin = {
  name: "pino without transports",
  setup({ onResolve, onLoad }) {
    const contents: Readonly<Record<string, string>> = {
      "./transport": 'module.exports = () => { throw new Error("no transports in this program") };',
      worker_threads: "exports.isMainThread = true;",
      assert: "module.exports = (truth, message) => { if (!truth) throw new Error(message); };",
    };
    const stand = ({ path, importer }: OnResolveArgs): OnResolveResult | undefined =>
      /node_modules\/(pino|sonic-boom)\//.test(importer) ? { path, namespace: "instead" } : undefined;
    onResolve({ filter: /^(\.\/transport|\.\/lib\/transport|worker_threads|assert)$/ }, stand);
    onLoad({ filter: /./, namespace: "instead" }, ({ path }) => ({
      contents: contents[path.replace("./lib/", "./")] ?? "",
    }));
  },
};

/**
 * Packages that are asked for by `import()` become files of their own beside the bundle, shared by all programs:
 * V8 keeps the text of a bundle for as long as the program runs.
 */
export const packagesApart = (folder: string): Plugin => ({
  name: "packages apart",
  setup({ onResolve, onEnd, initialOptions }) {
    const wanted = new Map<string, string>();
    onResolve({ filter: /^[@a-z]/ }, ({ path, kind }) => {
      if (kind !== "dynamic-import" || path.startsWith("node:")) return undefined;
      const file = `${path.replace(/^@.*\//, "")}.cjs`;
      wanted.set(path, file);
      return { path: `./${file}`, external: true };
    });
    onEnd(async () => {
      for (const [name, file] of wanted) {
        const { entryPoints: _e, plugins: _p, banner: _b, footer: _f, ...options } = initialOptions;
        await build({ ...options, entryPoints: [name], outfile: join(folder, file) });
      }
    });
  },
});
