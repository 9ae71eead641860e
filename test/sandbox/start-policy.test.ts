import { lstatSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "tap";
import { silentLog } from "../../src/base/log.ts";
import { PolicyRecord } from "../../src/sandbox/policy-record.ts";
import { startPolicy } from "../../src/sandbox/start-policy.ts";
import { needsEngine } from "../fakes/policies.ts";

test(
  "without any file there is no policy; a default that is there counts, or nothing starts",
  needsEngine,
  (t) => {
    const defaultFile = join(t.testdir(), "default-policy.rego");
    const start = () => startPolicy({ file: "", record: false, log: silentLog, defaultFile });
    t.notOk(start().inForce);
    writeFileSync(defaultFile, "package agent_policy\ndefault A := true\n");
    t.ok(start().inForce);
    writeFileSync(defaultFile, "package agent_policy\nA if {");
    t.throws(start, { message: /expecting expression/ });
    writeFileSync(defaultFile, "package agent_policy\ndefault A := false\n");
    const replacement = "package agent_policy\ndefault A := true\n";
    startPolicy({ file: "", replacement, record: false, log: silentLog, defaultFile }).check("A", "{}");
    const folder = join(t.testdirName, "folder");
    mkdirSync(folder);
    t.throws(() => startPolicy({ file: "", record: false, log: silentLog, defaultFile: folder }), /EISDIR/);
    t.end();
  },
);

test("the record of requests leaves the frequent ones out, follows no link and ends at its limit", (t) => {
  const file = join(t.testdir({ other: "x" }), "policy.jsonl");
  const record = new PolicyRecord(file, silentLog);
  record.append("CopyFileRequest", '{"path":"/p"}');
  record.append("StatsContainerRequest", "{}");
  t.equal(readFileSync(file, "utf8"), '{"kind":"CopyFileRequest","request":{"path":"/p"}}\n');
  t.equal(lstatSync(file).mode & 0o777, 0o600);
  const megabyte = JSON.stringify("x".repeat(1024 * 1024));
  for (let n = 0; n < 20; n++) record.append("CopyFileRequest", megabyte);
  t.ok(lstatSync(file).size <= 16 * 1024 * 1024);
  record.close();
  symlinkSync("other", join(t.testdirName, "link"));
  new PolicyRecord(join(t.testdirName, "link"), silentLog).append("CopyFileRequest", "{}");
  t.equal(readFileSync(join(t.testdirName, "other"), "utf8"), "x");
  t.end();
});
