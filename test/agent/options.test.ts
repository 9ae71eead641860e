import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Test, test } from "tap";
import { loadOptions } from "../../src/agent/load-options.ts";
import { type AgentOptions, cmdlineWords, optionTable, resolveOptions } from "../../src/agent/options.ts";

const nothing = { cmdline: undefined, file: undefined, env: undefined };
const defaults = resolveOptions(nothing).options;

/** Per option: good texts with what they mean, and bad ones. Every option has to stand here. */
const values: {
  readonly [K in keyof AgentOptions]: { good: [text: string, value: unknown][]; bad: string[] };
} = {
  logLevel: {
    good: [
      ["panic", "fatal"],
      ["critical", "fatal"],
      ["warning", "warn"],
      ["trace", "trace"],
    ],
    bad: ["loud", "INFO", "constructor", "__proto__", ""],
  },
  serverAddress: {
    good: [["unix:///a=b", "unix:///a=b"]],
    bad: ["", "vsock", "carrier://pigeon", "vsock://1:x"],
  },
  trace: {
    good: [
      ["true", "isolated"],
      ["isolated", "isolated"],
      ["collated", "collated"],
      ["Collated", "collated"],
      ["false", "off"],
      ["0", "off"],
      ["7", "isolated"],
    ],
    bad: ["maybe", "constructor", "tostring"],
  },
  traceAddress: { good: [["vsock://2:7", "vsock://2:7"]], bad: ["", "10240", "unix://relative"] },
  traceFlushMs: { good: [["3", 3000]], bad: ["0", "-1", "1.5", "soon", "99999999999"] },
  traceParent: { good: [["00-a-b-01", "00-a-b-01"]], bad: [""] },
  containerPipeBytes: { good: [["65536", 65536]], bad: ["-1", "1k", "4294967296"] },
  crunTimeoutMs: {
    good: [
      ["5", 5000],
      ["2147483647", 2 ** 31 - 1],
    ],
    bad: ["0", "x"],
  },
  hotplugTimeoutMs: { good: [["10", 10_000]], bad: ["0", "3s"] },
};

test("every option is read from every source that it has", async (t) => {
  t.same(Object.keys(values).sort(), Object.keys(optionTable).sort());
  for (const [name, row] of Object.entries(optionTable)) {
    const key = name as keyof AgentOptions;
    for (const [text, value] of values[key].good) {
      const sources = [{ cmdline: `quiet ${row.cmdline}=${text} x=y` }, { file: { [row.file]: text } }];
      if ("env" in row) sources.push({ env: { [row.env]: text } } as never);
      for (const source of sources) {
        const { options, warnings } = resolveOptions({ ...nothing, ...source });
        t.equal(options[key], value, `${name} ${JSON.stringify(source)}`);
        t.same(warnings, []);
        t.same({ ...options, [key]: defaults[key] }, defaults, "nothing else changes");
      }
    }
  }
});

test("a bad value keeps the default and is told by its key only", async (t) => {
  for (const [name, row] of Object.entries(optionTable)) {
    const key = name as keyof AgentOptions;
    for (const text of values[key].bad) {
      const { options, warnings } = resolveOptions({ ...nothing, cmdline: `${row.cmdline}=${text}` });
      t.same(options, defaults, `${name} = ${text}`);
      t.equal(warnings.length, 1);
      t.ok(warnings[0]?.includes(row.cmdline));
      if (text.length > 2) t.notOk(warnings[0]?.includes(text), "a value may be a secret");
    }
  }
});

test("the last good value wins: command line, file, environment", async (t) => {
  const cmdline = "agent.log=debug agent.log=trace";
  const file = { log_level: "error" };
  const env = { KATA_AGENT_LOG_LEVEL: "fatal" };
  t.equal(resolveOptions({ ...nothing, cmdline }).options.logLevel, "trace");
  t.equal(resolveOptions({ ...nothing, cmdline, file }).options.logLevel, "error");
  t.equal(resolveOptions({ cmdline, file, env }).options.logLevel, "fatal");
  const { options, warnings } = resolveOptions({ cmdline, file, env: { KATA_AGENT_LOG_LEVEL: "bad" } });
  t.equal(options.logLevel, "error");
  t.equal(warnings.length, 1);
});

test("a file may give numbers, booleans and durations", async (t) => {
  const read = (file: object) => resolveOptions({ ...nothing, file: { ...file } });
  t.equal(read({ tracing: true }).options.trace, "isolated");
  t.equal(read({ tracing: false }).options.trace, "off");
  t.equal(read({ container_pipe_size: 4096 }).options.containerPipeBytes, 4096);
  t.equal(read({ crun_timeout: { secs: 2, nanos: 500_000_000 } }).options.crunTimeoutMs, 2500);
  for (const bad of [
    { secs: 0, nanos: 0 },
    { secs: 1, nanos: "x" },
    { secs: -1 },
    { secs: 1, nanos: -1 },
    [],
    null,
  ]) {
    const { options, warnings } = read({ crun_timeout: bad });
    t.equal(options.crunTimeoutMs, defaults.crunTimeoutMs, JSON.stringify(bad));
    t.equal(warnings.length, 1);
  }
});

test("words of a command line are matched as they stand", async (t) => {
  const words = cmdlineWords("a a=1  b=x=y\tc= \n a");
  t.same(
    [...words],
    [
      ["a", [true, "1", true]],
      ["b", ["x=y"]],
      ["c", [""]],
    ],
  );
  t.equal(resolveOptions({ ...nothing, cmdline: "agent.trace" }).options.trace, "isolated");
  t.equal(resolveOptions({ ...nothing, cmdline: "agent.tracer=collated" }).options.trace, "off");
});

function folderOf(t: Test): string {
  const folder = mkdtempSync(join(tmpdir(), "options-"));
  t.teardown(() => rmSync(folder, { recursive: true }));
  return folder;
}

test("a file named by the command line counts alone, one of --config below the environment", async (t) => {
  const folder = folderOf(t);
  const [file, cmdlineFile] = [join(folder, "agent.toml"), join(folder, "cmdline")];
  writeFileSync(file, 'log_level = "error"\ncontainer_pipe_size = 1\nunknown = 1\n[endpoints]\nx = 1\n');
  writeFileSync(cmdlineFile, `agent.log=debug agent.config_file=${file} agent.trace`);
  const env = { KATA_AGENT_LOG_LEVEL: "warn" };
  const named = await loadOptions({ configFile: undefined, env, cmdlineFile });
  t.match(named, { options: { logLevel: "error", containerPipeBytes: 1, trace: "off" }, warnings: [] });
  const given = await loadOptions({ configFile: file, env, cmdlineFile });
  t.match(given, { options: { logLevel: "warn", containerPipeBytes: 1, trace: "off" }, warnings: [] });
  writeFileSync(cmdlineFile, "agent.log=debug agent.trace");
  const plain = await loadOptions({ configFile: undefined, env, cmdlineFile });
  t.match(plain, { options: { logLevel: "warn", trace: "isolated" }, warnings: [] });
});

test("a file that cannot be read or parsed is a warning", async (t) => {
  const folder = folderOf(t);
  const file = join(folder, "bad.toml");
  writeFileSync(file, "log_level = = secret-value");
  for (const configFile of [file, join(folder, "missing.toml")]) {
    const { options, warnings } = await loadOptions({ configFile, env: {}, cmdlineFile: "/nowhere" });
    t.same(options, defaults);
    t.equal(warnings.length, 1);
    t.notMatch(warnings[0], /secret-value/);
  }
});
