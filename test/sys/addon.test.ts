import { execFile } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { isAbsolute, join } from "node:path";
import { promisify } from "node:util";
import { test } from "tap";

const execute = promisify(execFile);
const root = join(import.meta.dirname, "../..");
const driver = join(import.meta.dirname, "drive-addon.ts");
const { PATH, HOME, CC = "gcc" } = process.env;
const env = { PATH, HOME };
const limits = { timeout: 400_000, killSignal: "SIGKILL" } as const;

/** Where the compiler keeps a library; undefined when it has none of that name. */
async function library(name: string): Promise<string | undefined> {
  const path = await execute(CC, [`-print-file-name=${name}`]).then(({ stdout }) => stdout.trim());
  return isAbsolute(path) ? path : undefined;
}

/**
 * Runs the driver without any capability. Some functions of the addon change the machine (its clock, its power, its
 * root); should one of them take an argument that it has to refuse, the kernel must say no in its place.
 */
function drive(addon: string, environment: NodeJS.ProcessEnv) {
  const command = [process.execPath, driver, addon];
  const powerless = ["setpriv", "--bounding-set=-all", "--inh-caps=-all", ...command];
  const [file = "", ...args] = process.getuid?.() === 0 ? powerless : command;
  return execute(file, args, { env: environment, ...limits });
}

const sanitizers = await Promise.all([library("libasan.so"), library("libubsan.so")]);
const missing = sanitizers.includes(undefined) ? `${CC} has no libasan.so and libubsan.so` : false;

test("every function of the addon refuses wrong arguments and works with right ones", async (t) => {
  const { stdout } = await drive(join(root, "build/kata.node"), env);
  t.match(stdout, /^\d{3,} wrong calls refused\n$/);
});

test("the same under the address and undefined behaviour sanitizers", { skip: missing }, async (t) => {
  const folder = mkdtempSync(join(tmpdir(), "sanitized-"));
  t.teardown(() => rmSync(folder, { recursive: true }));
  const addon = join(folder, "kata.node");
  const flags = [
    "-fsanitize=address,undefined",
    "-fno-sanitize-recover=all",
    "-fno-omit-frame-pointer",
    "-g",
  ];
  await execute(process.execPath, [join(root, "scripts/build-native.ts"), "--out", addon, ...flags], { env });
  // Node itself frees little at its end, so a leak report would be about Node.
  const options = "detect_leaks=0:halt_on_error=1";
  const { stdout, stderr } = await drive(addon, {
    ...env,
    LD_PRELOAD: sanitizers.join(" "),
    ASAN_OPTIONS: options,
  });
  t.match(stdout, /wrong calls refused/);
  t.equal(stderr, "");
});
