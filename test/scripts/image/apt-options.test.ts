import { spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "tap";
import { aptOptions } from "../../../scripts/image/apt-options.ts";

const skip = spawnSync("apt-config", ["--version"]).status === 0 ? false : "apt is not installed";

test("the machine's proxies are handed on, and none of its other settings", { skip }, async (t) => {
  const file = join(t.testdir(), "apt.conf");
  writeFileSync(
    file,
    'Acquire::http::Proxy "http://proxy.example:3128";\nAcquire::https::Proxy::a.example "DIRECT";\nAcquire::Retries "3";\n',
  );
  const before = process.env["APT_CONFIG"];
  process.env["APT_CONFIG"] = file;
  t.teardown(() => {
    if (before === undefined) delete process.env["APT_CONFIG"];
    else process.env["APT_CONFIG"] = before;
  });
  const options = aptOptions();
  t.ok(options.includes('--aptopt=Acquire::http::Proxy "http://proxy.example:3128";'), options.join());
  t.ok(options.includes('--aptopt=Acquire::https::Proxy::a.example "DIRECT";'), options.join());
  t.notMatch(options.join(), "Retries");
});
