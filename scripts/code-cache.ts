/**
 * V8's code of a bundle, as a file beside it, the same for the same bundle.
 *
 * What V8 writes down after a run depends on that run in four ways. The hashes of names, by a seed: it is given. How hot
 * each function was, and whether it was forgotten since: what marks and forgets is off while it runs. When each function came
 * to be, as a number, and the folder of the script: a second process reads the file, runs nothing, and writes it anew.
 */
import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { HealthMethods } from "../src/gen/methods.ts";
import { ProtobufWriter } from "../src/wire/protobuf-writer.ts";
import { writeRequest } from "../src/wire/ttrpc-envelope.ts";
import { beginFrame, endFrame, FrameType } from "../src/wire/ttrpc-frame.ts";
import type { Program } from "./programs.ts";

/** Makes the text of a bundle an expression: the function that Node wraps around a CommonJS module. */
export const moduleFunction = {
  before: "(function (exports, require, module, __filename, __dirname) {",
  after: "})",
} as const;

const script = `
const { readFileSync, writeFileSync } = require("node:fs");
const { Script } = require("node:vm");
`;
/**
 * What runs in the place of the bundle. V8 refuses a cache that another version or other flags have made. The bytes of
 * both files are given back at once: an idle agent may not collect its garbage for days. Each file of the sources asks
 * for the built-in modules that it uses, a hundred times in all, and Node takes its time for each: so it is asked once.
 */
const loader = `"use strict";
${script}
const base = __filename.slice(0, -".cjs".length);
const filename = base + ".bundle.js";
const read = (path) => { try { return readFileSync(path); } catch { return undefined; } };
const [source, cachedData] = [readFileSync(filename), read(base + ".cache")];
const code = new Script(source.latin1Slice(), { filename, cachedData });
for (const bytes of [source, cachedData]) bytes?.buffer.transfer(0);
const known = new Map();
const ask = (name) => {
  if (!known.has(name)) known.set(name, require(name));
  return known.get(name);
};
code.runInThisContext()(exports, ask, module, __filename, __dirname);
`;
/** The hash of the flags is in the file too, so they are as ever when it is written. */
const steady = `${script}
const { setFlagsFromString } = require("node:v8");
const unsteady = ["sparkplug", "maglev", "turbofan", "flush-bytecode"];
for (const flag of unsteady) setFlagsFromString("--no-" + flag);
const keep = (code, file) => {
  for (const flag of unsteady) setFlagsFromString("--" + flag);
  writeFileSync(file, code.createCachedData());
};
`;
/** Runs the bundle in vain, and keeps the code of all functions that ran up to its end. */
const maker = `${steady}
const [, filename, cache] = process.argv;
process.argv = [process.argv[0], filename, "--help"];
const code = new Script(readFileSync(filename, "latin1"), { filename });
process.on("exit", () => keep(code, cache));
code.runInThisContext()(exports, require, module, filename, require("node:path").dirname(filename));
`;
/** Lets the agent boot and answer one Check, and keeps the code of all functions that ran for it. */
const bootMaker = `${steady}
const { connect } = require("node:net");
const { createRequire } = require("node:module");
const [, filename, cache, socket, request] = process.argv;
process.argv = [process.argv[0]];
process.env.KATA_AGENT_SERVER_ADDR = "unix://" + socket;
const code = new Script(readFileSync(filename, "latin1"), { filename });
code.runInThisContext()(exports, createRequire(filename), module, filename, require("node:path").dirname(filename));
const attempts = setInterval(() => {
  const client = connect(socket, () => {
    clearInterval(attempts);
    client.end(Buffer.from(request, "hex"));
  });
  client.on("error", () => undefined);
  client.once("data", () => {
    keep(code, cache);
    process.exit();
  });
}, 20);
`;
/** A boot takes less than a second; a machine that is very busy must not make another cache for it. */
const bootLimitMs = 120_000;
/** Writes what another process has kept as this one has it, under a name without folders. */
const rewriter = `${script}
const [, source, kept, cache, filename] = process.argv;
const code = new Script(readFileSync(source, "latin1"), { filename, cachedData: readFileSync(kept) });
if (code.cachedDataRejected) throw new Error("V8 refuses its own code");
writeFileSync(cache, code.createCachedData());
`;

/**
 * Puts what starts a program beside its bundle: `<base>.cjs` loads `<base>.bundle.js` together with
 * `<base>.cache`, the code that V8 made of it when it ran here. Compiling is a third of a start otherwise.
 *
 * The agent, which starts in every guest, boots for it in a private world (namespaces.sh). Where there can be none, and
 * for the other programs, the code is that of a start which ends at a wrong argument. Throws an Error when V8 refuses
 * what it has made.
 */
export function addCodeCache({ name, nodeFlags }: Program, base: string): void {
  writeFileSync(`${base}.cjs`, loader);
  const dir = mkdtempSync(join(tmpdir(), "code-cache-"));
  const [source, kept] = [`${base}.bundle.js`, join(dir, "kept")];
  const flags = [...nodeFlags, "--random-seed=1", "-e"];
  try {
    if (name !== "kata-agent" || !bootForCache(flags, source, dir))
      spawnSync(process.execPath, [...flags, maker, source, kept], { stdio: "ignore" });
    if (existsSync(kept))
      execFileSync(process.execPath, [...flags, rewriter, source, kept, `${base}.cache`, basename(source)]);
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

function bootForCache(flags: readonly string[], source: string, dir: string): boolean {
  const args = [...flags, bootMaker, source, join(dir, "kept"), join(dir, "agent.sock"), checkRequest()];
  const world = join(import.meta.dirname, "namespaces.sh");
  const { PATH } = process.env;
  const options = { stdio: "ignore", timeout: bootLimitMs, killSignal: "SIGKILL", env: { PATH } } as const;
  return spawnSync(world, [process.execPath, ...args], options).status === 0;
}

/** A ttRPC request for Health.Check with nothing in it, in hex. */
function checkRequest(): string {
  const writer = new ProtobufWriter();
  const mark = beginFrame(writer, 1, FrameType.request);
  const { service, name, requestType } = HealthMethods.Check;
  writeRequest(writer, { service, method: name }, requestType, {});
  endFrame(writer, mark);
  return Buffer.from(writer.finish()).toString("hex");
}
