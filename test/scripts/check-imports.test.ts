import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "tap";
import { judge, type Table } from "../../scripts/import-rules.ts";
import { type Facts, readImports } from "../../scripts/read-imports.ts";

const root = join(import.meta.dirname, "../..");
const table = JSON.parse(readFileSync(join(root, ".imports.json"), "utf8")) as Table;

/** The violations of a source tree given as text; every imported file of ours that is not given exists on disk. */
function faultsOf(dir: string, sources: Readonly<Record<string, string>>): string[] {
  const files = new Map<string, Facts>();
  for (const [path, source] of Object.entries(sources)) files.set(path, readImports(path, source));
  return judge(dir, table, files);
}

const floor = {
  base: { "a.ts": "" },
  sys: { "a.ts": "" },
  rpc: { "call.ts": "" },
  agent: { "main.ts": "" },
};

type Row = { readonly name: string; readonly path: string; readonly source: string; readonly says?: RegExp };
const rows: readonly Row[] = [
  { name: "an import downwards passes", path: "src/sys/x.ts", source: 'import "../base/a.ts";' },
  {
    name: "an import upwards",
    path: "src/base/x.ts",
    source: '\nimport "../sys/a.ts";',
    says: /^src\/base\/x\.ts:2 imports src\/sys\/a\.ts: room base may not import sys$/,
  },
  {
    name: "a type import upwards",
    path: "src/base/x.ts",
    source: 'import type { A } from "../sys/a.ts";',
    says: /base may not import sys/,
  },
  {
    name: "an import() type upwards",
    path: "src/base/x.ts",
    source: 'export type A = import("../sys/a.ts").A;',
    says: /base may not import sys/,
  },
  {
    name: "a dynamic import upwards",
    path: "src/base/x.ts",
    source: 'export const a = () => import("../sys/a.ts");',
    says: /base may not import sys/,
  },
  {
    name: "a re-export upwards",
    path: "src/base/x.ts",
    source: 'export { a } from "../sys/a.ts";',
    says: /base may not import sys/,
  },
  {
    name: "a re-export of all upwards",
    path: "src/base/x.ts",
    source: 'export * from "../sys/a.ts";',
    says: /base may not import sys/,
  },
  {
    name: "types where types are allowed pass",
    path: "src/trace/x.ts",
    source: 'import type { C } from "../rpc/call.ts";',
  },
  {
    name: "inline types where types are allowed pass",
    path: "src/trace/x.ts",
    source: 'import { type C } from "../rpc/call.ts";',
  },
  {
    name: "a value where only types are allowed",
    path: "src/trace/x.ts",
    source: 'import { c } from "../rpc/call.ts";',
    says: /only types from rpc/,
  },
  {
    name: "an import of the agent",
    path: "src/ctl/x.ts",
    source: 'import "../agent/main.ts";',
    says: /ctl may not import agent/,
  },
  {
    name: "a file that is not there",
    path: "src/sys/x.ts",
    source: 'import "../base/none.ts";',
    says: /no such file/,
  },
  {
    name: "a file outside src",
    path: "src/sys/x.ts",
    source: 'import "../../scripts/y.ts";',
    says: /outside src/,
  },
  {
    name: "a computed import",
    path: "src/sys/x.ts",
    source: "export const f = (n: string) => import(n);",
    says: /computed name/,
  },
  { name: "an index file", path: "src/sys/index.ts", source: "", says: /no index files/ },
  { name: "a folder the room does not have", path: "src/sys/deep/x.ts", source: "", says: /does not have/ },
  { name: "a third level", path: "src/rpc/ttrpc/deep/x.ts", source: "", says: /too deep/ },
  { name: "a file outside the rooms", path: "src/x.ts", source: "", says: /in no room/ },
  { name: "a room that the table lacks", path: "src/utils/x.ts", source: "", says: /in no room/ },
  {
    name: "a process started outside sys",
    path: "src/runtime/x.ts",
    source: 'import { spawn } from "node:child_process";',
    says: /starting processes belongs to src\/sys\//,
  },
  {
    name: "a socket opened outside vsock",
    path: "src/agent/x.ts",
    source: 'import { connect } from "node:net";',
    says: /opening sockets belongs to src\/vsock\//,
  },
  {
    name: "a socket's type is free",
    path: "src/rpc/x.ts",
    source: 'import type { Socket } from "node:net";',
  },
  { name: "HTTP in the guest", path: "src/trace/x.ts", source: 'import "node:http";', says: /speaking HTTP/ },
  {
    name: "files in wire",
    path: "src/wire/x.ts",
    source: 'import "node:fs";',
    says: /is not for src\/wire\//,
  },
  {
    name: "any Node API in wire",
    path: "src/wire/x.ts",
    source: 'import "node:zlib";',
    says: /is not for src\/wire\//,
  },
  {
    name: "a package the room does not have",
    path: "src/base/x.ts",
    source: 'import { pino } from "pino";',
    says: /may not import package pino/,
  },
  {
    name: "a subpath of a scoped package",
    path: "src/base/x.ts",
    source: 'import "@grpc/grpc-js/build";',
    says: /package @grpc\/grpc-js/,
  },
  { name: "printing outside main", path: "src/sys/x.ts", source: "console.log(1);", says: /uses console/ },
  {
    name: "the environment outside main",
    path: "src/sys/x.ts",
    source: "export const a = process.env;",
    says: /uses process\.env/,
  },
  {
    name: "the environment by a string",
    path: "src/sys/x.ts",
    source: 'export const a = process["env"];',
    says: /uses process\.env/,
  },
  {
    name: "the environment by its parts",
    path: "src/sys/x.ts",
    source: "export const { env } = process;",
    says: /uses process\.env/,
  },
  {
    name: "the environment by globalThis",
    path: "src/sys/x.ts",
    source: "export const a = globalThis.process.env;",
    says: /uses process\.env/,
  },
  {
    name: "the end outside main",
    path: "src/agent/x.ts",
    source: "process.exit(1);",
    says: /uses process\.exit/,
  },
  {
    name: "all of it in main passes",
    path: "src/agent/main.ts",
    source: "console.log(process.env, process.argv); process.exit(0);",
  },
  {
    name: "a signal sent outside sys",
    path: "src/container/x.ts",
    source: "process.kill(1);",
    says: /uses process\.kill/,
  },
];

test("each kind of violation is found, and nothing else", async (t) => {
  const dir = t.testdir({ src: floor });
  for (const { name, path, source, says } of rows) {
    const faults = faultsOf(dir, { [path]: source });
    if (says) t.match(faults, [says], name);
    t.equal(faults.length, says ? 1 : 0, `${name}: ${faults.length} found`);
  }
});

test("a ring of imports is found, also among types", async (t) => {
  const dir = t.testdir({ src: { base: { "a.ts": "", "b.ts": "", "c.ts": "" } } });
  const faults = faultsOf(dir, {
    "src/base/a.ts": 'import "./b.ts";',
    "src/base/b.ts": 'import type { C } from "./c.ts";',
    "src/base/c.ts": 'export type C = import("./a.ts").A;',
  });
  t.match(faults, [
    /^src\/base\/a\.ts → src\/base\/b\.ts → src\/base\/c\.ts → src\/base\/a\.ts: .* in a ring$/,
  ]);
  t.equal(faults.length, 1);
});

test("a source that does not parse is an error that names the file", async (t) => {
  t.throws(() => readImports("src/base/x.ts", "import {"), /src\/base\/x\.ts/);
});
