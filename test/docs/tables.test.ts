import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { test } from "tap";
import { commandTables } from "../../scripts/docs/command-page.ts";
import { optionTables } from "../../scripts/docs/options-page.ts";
import { optionTable } from "../../src/agent/options/options.ts";

const script = join(import.meta.dirname, "../../scripts/docs/gen-tables.ts");

test("the tables of options and flags are those of the code", async (t) => {
  t.equal(execFileSync(process.execPath, [script, "--check"], { encoding: "utf8" }), "");
});

test("every key of every option is in a table, with its default and the version that had it first", async (t) => {
  const tables = optionTables();
  const all = Object.values(tables).join("\n");
  for (const row of Object.values(optionTable)) {
    const keys = [row.cmdline, row.file, row.env].filter((key) => key !== undefined);
    for (const key of keys) t.match(all, `\`${key.replace(/^(agent\.)?mem_agent_/, "")}\``);
  }
  t.match(
    tables["options"],
    "| `agent.hotplug_timeout` | `hotplug_timeout` | | seconds | 3 | wait for a device | Kata 2.0 |",
  );
  t.match(
    tables["options"],
    "| `agent.crun_timeout` | `crun_timeout` | | seconds | 30 | limit of one crun | 0.1.0 |",
  );
  t.match(tables["mem-agent"], "| `compact_force_times` | whole number | 2^63−1 |");
});

test("every command of agentctl is told with its flags", async (t) => {
  const { "commands of agentctl": commands = "", "flags of kata-trace-forwarder": flags = "" } =
    commandTables();
  t.match(commands, "`agentctl trace flush [options] [time]`");
  t.match(commands, "| `--html <out>` | write the page");
  t.match(flags, "| `--socket-path <path>` | hybrid VSOCK: listens on \\<path>_10240; repeatable |");
});
