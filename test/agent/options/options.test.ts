import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Test, test } from "tap";
import { loadOptions } from "../../../src/agent/options/load-options.ts";
import type { OptionRow } from "../../../src/agent/options/option-row.ts";
import {
  type AgentOptions,
  cmdlineWords,
  optionTable,
  resolveOptions,
} from "../../../src/agent/options/options.ts";

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
      ["TRUE", "isolated"],
      ["Isolated", "isolated"],
      ["1", "isolated"],
      ["disabled", "off"],
      ["DISABLED", "off"],
      ["False", "off"],
    ],
    bad: ["maybe", "constructor", "tostring", ""],
  },
  traceMode: {
    good: [
      ["dynamic", "dynamic"],
      ["STATIC", "static"],
    ],
    bad: ["", "on", "constructor"],
  },
  traceLevel: {
    good: [
      ["info", "info"],
      ["WARNING", "warn"],
      ["critical", "error"],
    ],
    bad: ["", "all"],
  },
  traceSampling: {
    good: [
      ["0", 0],
      ["1000", 1000],
    ],
    bad: ["1000001", "-1", "0.5", ""],
  },
  traceRules: {
    good: [["Check:off,Read*:10,grpc.Health/*:0", "Check:off,Read*:10,grpc.Health/*:0"]],
    bad: ["Check", "Check:on", "Check:1000001", "a b:off"],
  },
  traceQueue: { good: [["100", 100]], bad: ["-1", "x"] },
  traceLinks: {
    good: [
      ["a.b/c,d", "a.b/c,d"],
      ["", ""],
    ],
    bad: ["a;b", "ä"],
  },
  traceWorkload: { good: [["true", true]], bad: ["maybe"] },
  traceRelay: { good: [["1", true]], bad: ["yes please"] },
  traceAddress: { good: [["vsock://2:7", "vsock://2:7"]], bad: ["", "10240", "unix://relative"] },
  traceFlushMs: { good: [["3", 3000]], bad: ["0", "-1", "1.5", "soon", "99999999999"] },
  traceParent: { good: [["00-a-b-01", "00-a-b-01"]], bad: [""] },
  containerPipeBytes: { good: [["65536", 65536]], bad: ["-1", "1k", "4294967296"] },
  passedStreamsAddress: {
    good: [
      ["1027", "vsock://-1:1027"],
      ["0", ""],
      ["tcp://127.0.0.1:1027", "tcp://127.0.0.1:1027"],
    ],
    bad: ["-1", "port", ""],
  },
  crunTimeoutMs: {
    good: [
      ["5", 5000],
      ["2147483647", 2 ** 31 - 1],
    ],
    bad: ["0", "x"],
  },
  hotplugTimeoutMs: { good: [["10", 10_000]], bad: ["0", "3s"] },
  cdiTimeoutMs: { good: [["7", 7000]], bad: ["0", "soon"] },
  visibleCdiDevices: {
    good: [
      ["true", true],
      ["0", false],
    ],
    bad: ["maybe"],
  },
  debugConsole: { good: [], bad: ["1", "true", ""] },
  debugConsolePort: { good: [["1026", 1026]], bad: ["-1", "x"] },
  logPort: { good: [["1025", 1025]], bad: ["-1", "1.5"] },
  journal: {
    good: [
      ["true", true],
      ["0", false],
    ],
    bad: ["maybe"],
  },
  vsockPeers: {
    good: [
      ["any", "any"],
      ["host", "host"],
    ],
    bad: ["3", ""],
  },
  cgroupNoV1: {
    good: [
      ["all", "all"],
      ["memory", ""],
    ],
    bad: [],
  },
  unifiedCgroups: { good: [["1", true]], bad: ["maybe"] },
  memAgent: {
    good: [
      ["true", true],
      ["0", false],
      ["18446744073", true],
    ],
    bad: ["yes", "-1", ""],
  },
  memAgentReclaimDisabled: { good: [["true", true]], bad: ["1", "TRUE"] },
  memAgentSwap: { good: [["true", true]], bad: ["1"] },
  memAgentSwappinessMax: { good: [["200", 200]], bad: ["256", "-1"] },
  memAgentReclaimPeriod: { good: [["5", 5n]], bad: ["-5", "5s"] },
  memAgentReclaimPeriodPsi: { good: [["7", 7]], bad: ["256"] },
  memAgentEvictionPsi: { good: [["7", 7]], bad: ["x"] },
  memAgentAgingCountMin: { good: [["9", 9n]], bad: ["x"] },
  memAgentCompactDisabled: { good: [["true", true]], bad: ["0"] },
  memAgentCompactPeriod: { good: [["5", 5n]], bad: ["9223372036854775808"] },
  memAgentCompactPeriodPsi: { good: [["7", 7]], bad: ["300"] },
  memAgentCompactPsi: { good: [["7", 7]], bad: ["300"] },
  memAgentCompactSecMax: { good: [["7", 7n]], bad: ["-7"] },
  memAgentCompactOrder: { good: [["4", 4]], bad: ["x"] },
  memAgentCompactThreshold: { good: [["7", 7n]], bad: [""] },
  memAgentCompactForceTimes: { good: [["9223372036854775807", 2n ** 63n - 1n]], bad: ["x"] },
  devMode: { good: [], bad: ["1"] },
  httpsProxy: { good: [["http://proxy:3128/?a=b", "http://proxy:3128/?a=b"]], bad: ["proxy", ""] },
  noProxy: { good: [["10.0.0.0/8,.local", "10.0.0.0/8,.local"]], bad: [""] },
  guestComponentsRestApi: { good: [["all", "all"]], bad: ["some", "constructor"] },
  guestComponentsProcs: { good: [["none", "none"]], bad: ["everything"] },
  secureStorageIntegrity: {
    good: [
      ["false", false],
      ["0", false],
    ],
    bad: ["off", "1=2"],
  },
  cdhApiTimeoutMs: { good: [["7", 7000]], bad: ["0"] },
  imagePullTimeoutMs: { good: [["7", 7000]], bad: ["0"] },
  launchProcessTimeoutMs: { good: [["7", 7000]], bad: ["0"] },
  policyFile: { good: [["/etc/p.rego", "/etc/p.rego"]], bad: [] },
  attesterVariant: { good: [["tdx", "tdx"]], bad: [] },
};

type Source = Partial<Parameters<typeof resolveOptions>[0]>;

/** Everywhere that an option can be said, each with the key that it has there. */
function placesOf({ cmdline, file, env }: OptionRow<unknown>, text: string): [key: string, Source][] {
  const places: [string, Source][] = [];
  if (cmdline !== undefined) places.push([cmdline, { cmdline: `quiet ${cmdline}=${text} x=y` }]);
  if (file !== undefined) places.push([file, { file: { [file]: text } }]);
  if (env !== undefined) places.push([env, { env: { [env]: text } }]);
  return places;
}

// agent-api 2.2
test("every option is read from every source that it has", async (t) => {
  t.same(Object.keys(values).sort(), Object.keys(optionTable).sort());
  for (const [name, row] of Object.entries<OptionRow<unknown>>(optionTable)) {
    const key = name as keyof AgentOptions;
    for (const [text, value] of values[key].good) {
      for (const [said, source] of placesOf(row, text)) {
        const { options, warnings } = resolveOptions({ ...nothing, ...source });
        t.equal(options[key], value, `${name} ${JSON.stringify(source)}`);
        t.same(warnings, row.idle === true ? [`option ${said} has no effect in this agent`] : []);
        t.same({ ...options, [key]: defaults[key] }, defaults, "nothing else changes");
      }
    }
  }
});

test("a bad value keeps the default and is told by its key only (better than agent-api 2.2)", async (t) => {
  for (const [name, row] of Object.entries<OptionRow<unknown>>(optionTable)) {
    const key = name as keyof AgentOptions;
    for (const text of values[key].bad) {
      for (const [said, source] of placesOf(row, text)) {
        const { options, warnings } = resolveOptions({ ...nothing, ...source });
        t.same(options, defaults, `${name} = ${text}`);
        t.same(warnings, [`option ${said} has a bad value, which is ignored`], "a value may be a secret");
      }
    }
  }
});

test("a flag is the bare word and nothing else, and a boolean in a file (agent-api 2.1)", async (t) => {
  for (const key of ["debugConsole", "devMode"] as const) {
    const { cmdline, file } = optionTable[key];
    t.equal(resolveOptions({ ...nothing, cmdline: `x ${cmdline}` }).options[key], true);
    t.equal(resolveOptions({ ...nothing, cmdline: `${cmdline}_x ${cmdline}.y` }).options[key], false);
    t.equal(resolveOptions({ ...nothing, file: { [file ?? ""]: true } }).options[key], true);
    t.equal(resolveOptions({ ...nothing, file: { [file ?? ""]: false } }).options[key], false);
  }
});

test("control groups are version 2, and who asks for version 1 is told so (agent-api 1.2 step 4)", async (t) => {
  const warned = (cmdline: string) => resolveOptions({ ...nothing, cmdline }).warnings.length;
  t.equal(warned("systemd.unified_cgroup_hierarchy=0"), 1);
  t.equal(warned("systemd.unified_cgroup_hierarchy=false cgroup_no_v1=memory"), 1);
  for (const line of ["", "systemd.unified_cgroup_hierarchy=0 cgroup_no_v1=all", "cgroup_no_v1=all"])
    t.equal(warned(line), 0, line);
  t.equal(warned("cgroup_no_v1=all systemd.unified_cgroup_hierarchy=1"), 0, "what stock runtimes pass");
});

test("the mem-agent's options count wherever they stand on the line (a quirk of the reference)", async (t) => {
  const cmdline = "agent.mem_agent_memcg_period_secs=7 agent.mem_agent_enable=true";
  t.match(resolveOptions({ ...nothing, cmdline }).options, { memAgent: true, memAgentReclaimPeriod: 7n });
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

test("an unknown word for tracing is off, with one warning, and the variable of 2.2 is known", async (t) => {
  const { options, warnings } = resolveOptions({ ...nothing, cmdline: "agent.trace=banana" });
  t.equal(options.trace, "off");
  t.equal(warnings.length, 1);
  const env = { KATA_AGENT_TRACE_TYPE: "collated" };
  t.equal(resolveOptions({ ...nothing, env }).options.trace, "collated");
  const both = { ...env, KATA_AGENT_TRACING: "false" };
  t.equal(resolveOptions({ ...nothing, env: both }).options.trace, "off");
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

test("a file that cannot be read or parsed ends the start, as it may name a policy (agent-api 2.1)", async (t) => {
  const folder = folderOf(t);
  const file = join(folder, "bad.toml");
  writeFileSync(file, "log_level = = secret-value");
  for (const configFile of [file, join(folder, "missing.toml")]) {
    const refused = loadOptions({ configFile, env: {}, cmdlineFile: "/nowhere" });
    await t.rejects(refused, { code: 13, message: /^configuration file was not read: (?!.*secret-value)/ });
  }
});
