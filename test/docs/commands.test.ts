import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import t from "tap";
import { readPage } from "../../scripts/docs/page.ts";
import { allPages } from "../../scripts/docs/page-faults.ts";
import { needsRoot } from "../fakes/real-agent.ts";
import { missingLines, printedBlocks, runCommands, scriptOf } from "./run-page.ts";

/** Every command of the documentation that is not marked, run as its reader runs it. */

const root = join(import.meta.dirname, "../..");
const needed = ["/usr/bin/crun", "/bin/busybox", join(root, "build/kata-agent")].filter(
  (path) => !existsSync(path),
);
const skip = needed.length > 0 ? `${needed.join(", ")} missing` : needsRoot.skip;

for (const path of allPages()) {
  const page = readPage(readFileSync(join(root, path), "utf8"));
  const script = scriptOf(page);
  if (script === "") continue;
  t.test(`the commands of ${path} do what it says`, { skip }, async (t) => {
    const { code, output } = await runCommands(script);
    t.equal(code, 0, output);
    for (const { text, line } of printedBlocks(page))
      t.same(missingLines(text, output), [], `line ${line}: ${output}`);
  });
}

t.test("a command that fails is seen, and those behind it are not run", { skip }, async (t) => {
  const { code, output } = await runCommands(
    "echo one\nagentctl --addr unix:///tmp/none.sock check\necho two",
  );
  t.equal(code, 3);
  t.match(output, /^one$/m);
  t.notMatch(output, /^two$/m);
});

t.test("nothing of the machine can be changed by a command", { skip }, async (t) => {
  const { code, output } = await runCommands(`
    ! touch /usr/new || exit 10
    ! touch build/new || exit 11
    ! setpriv --dump | grep -q sys_time || exit 12
    touch /etc/new /tmp/new /var/log/new ./new`);
  t.equal(code, 0, output);
  t.notOk(existsSync("/etc/new"));
});
