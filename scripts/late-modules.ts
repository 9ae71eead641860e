/**
 * What a program loads only when it is used. Bundled code asks for all its modules before its first line runs; for a
 * guest that means milliseconds and megabytes for things that most of them never touch.
 */
import { createRequire } from "node:module";
import { join } from "node:path";
import { build, type OnResolveArgs, type OnResolveResult, type Plugin } from "esbuild";

const here = createRequire(import.meta.url);

/** Node's modules that are dear to load (crypto: 14 ms, 3 MB), or that our sources only use in some calls. */
const dear = /^(node:)?(crypto|fs\/promises|timers\/promises)$/;

/**
 * Puts functions in the place of theirs, and the first call loads them. As an ES module: of a CommonJS one each of our
 * files that imports it would make a copy, with an accessor for every name.
 */
export const lateBuiltins: Plugin = {
  name: "late built-ins",
  setup({ onResolve, onLoad }) {
    // Who requires one, such as the functions below, gets it whole.
    onResolve({ filter: dear }, ({ path, kind }) =>
      kind === "require-call" ? { path, external: true } : { path, namespace: "late" },
    );
    onLoad({ filter: /./, namespace: "late" }, ({ path }) => {
      const values = Object.entries<unknown>(here(path));
      // Only functions can wait; whoever imports anything else is told by the bundler that it is not there.
      const names = values.filter(([, value]) => typeof value === "function").map(([name]) => name);
      const late = (name: string) =>
        `export const ${name} = (...args) => require("${path}").${name}(...args);`;
      return { contents: names.map(late).join("\n") };
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
      // Every line would name the host, but ours have fields of their own.
      "node:os": 'exports.hostname = () => "";',
      assert: "module.exports = (truth, message) => { if (!truth) throw new Error(message); };",
    };
    const stand = ({ path, importer }: OnResolveArgs): OnResolveResult | undefined =>
      /node_modules\/(pino|sonic-boom)\//.test(importer) ? { path, namespace: "instead" } : undefined;
    onResolve({ filter: /^(\.\/transport|\.\/lib\/transport|worker_threads|assert|node:os)$/ }, stand);
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
