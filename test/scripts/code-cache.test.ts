import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { Script } from "node:vm";
import { test } from "tap";
import { programs } from "../../scripts/programs.ts";

const lib = join(import.meta.dirname, "../../build/lib");

for (const { name } of programs) {
  const [source, cache] = [join(lib, `${name}.bundle.js`), join(lib, `${name}.cache`)];
  const skip = existsSync(cache) ? false : `${name} was not built`;

  test(`the pinned Node takes the kept code of ${name}, in which no folder stands`, { skip }, async (t) => {
    const cachedData = readFileSync(cache);
    t.notOk(cachedData.includes(lib));
    const code = new Script(readFileSync(source, "latin1"), { filename: source, cachedData });
    t.equal(code.cachedDataRejected, false);
  });
}
