import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "tap";
import { programs } from "../../scripts/programs.ts";

const lib = join(import.meta.dirname, "../../build/lib");
const load = `
const { readFileSync } = require("node:fs");
const [, filename, cache] = process.argv;
const code = new (require("node:vm").Script)(readFileSync(filename, "latin1"), { filename, cachedData: readFileSync(cache) });
process.stdout.write(String(code.cachedDataRejected));
`;

for (const { name, nodeFlags } of programs) {
  const [source, cache] = [join(lib, `${name}.bundle.js`), join(lib, `${name}.cache`)];
  const skip = existsSync(cache) ? false : `${name} was not built`;

  test(`the shipped Node takes the kept code of ${name}, in which no folder stands`, { skip }, (t) => {
    t.notOk(readFileSync(cache).includes(lib));
    // V8 takes no code that was made with other flags.
    const args = [...nodeFlags, "-e", load, source, cache];
    t.equal(execFileSync(join(lib, "node"), args, { encoding: "utf8" }), "false");
    t.end();
  });
}
