import { test } from "tap";
import { Code } from "../../src/base/code.ts";
import type { Input } from "../../src/gen/message-type.ts";
import { Spec } from "../../src/gen/oci.ts";
import { ociJson } from "../../src/runtime/oci-json.ts";
import { ociProcess } from "../../src/service/oci-process.ts";
import { ociSpec } from "../../src/service/oci-spec.ts";
import { decodeMessage } from "../../src/wire/protobuf-decode.ts";
import { encodeMessage } from "../../src/wire/protobuf-encode.ts";
import { specOf, type Wanted } from "../fakes/container-spec.ts";

const plain: Wanted = { args: ["true"] };
const refused = { name: "AgentError", code: Code.internal };

/** As it comes from the wire: absent is zero. */
const sent = (spec: Input<Spec>): Spec =>
  decodeMessage(Spec, encodeMessage(Spec, spec), { stable: true }) as Spec;
const converted = (spec: Input<Spec>) => ociSpec(sent(spec));
const json = (spec: Input<Spec>) => ociJson(converted(spec));
const withLinux = (linux: NonNullable<Input<Spec>["Linux"]>): Input<Spec> => ({
  ...specOf("/root", plain),
  Linux: linux,
});

test("limits keep every bit and -1 keeps its meaning", async (t) => {
  const unlimited = 2n ** 64n - 1n;
  const spec = {
    ...withLinux({
      Resources: {
        Memory: {
          Limit: -1n,
          Swap: -1n,
          Reservation: 9007199254740993n,
          Swappiness: 60n,
          Kernel: 1n,
          DisableOOMKiller: true,
        },
        CPU: { Shares: 1024n, Quota: -1n, Period: 100000n, Cpus: "0-1" },
        Pids: { Limit: 0n },
        HugepageLimits: [{ Pagesize: "2MB", Limit: unlimited }],
      },
    }),
    Process: {
      ...specOf("/root", plain).Process,
      Rlimits: [{ Type: "RLIMIT_NOFILE", Hard: unlimited, Soft: 1024n }],
    },
  };
  const text = json(spec);
  t.match(text, /"limit":-1,"reservation":9007199254740993,"swap":-1/);
  t.match(text, /"quota":-1/);
  t.match(text, /"pids":\{"limit":-1\}/);
  t.match(text, /"hard":18446744073709551615,"soft":1024/);
  t.match(text, /"hugepageLimits":\[\{"pageSize":"2MB","limit":18446744073709551615\}\]/);
  t.notMatch(
    text,
    /swappiness|kernel|disableOOMKiller|realtime|devices|network/,
    "zero and what only version 1 knows are absent",
  );
});

test("an environment passes byte for byte, and a bad entry is refused", async (t) => {
  const env = ["A=1", "B=", "C= two  blanks ", "D=x=y=z", "E=line\nbreak", "F=ü€"];
  t.same(converted(specOf("/root", { ...plain, env })).process?.env?.slice(1), env);
  for (const entry of ["NOVALUE", "=x", ""]) {
    t.throws(() => converted(specOf("/root", { ...plain, env: [entry] })), refused, entry);
  }
  t.throws(() => json(specOf("/root", { ...plain, env: ["A=\0"] })), { ...refused, message: /NUL/ });
  t.throws(() => json(specOf("/root", { args: ["a\0b"] })), { ...refused, message: /NUL/ });
});

test("what a container cannot do without is asked for by name", async (t) => {
  const whole = specOf("/root", plain);
  const cases = {
    process: { ...whole, Process: undefined },
    capabilities: { ...whole, Process: { ...whole.Process, Capabilities: undefined } },
    root: { ...whole, Root: undefined },
    linux: { ...whole, Linux: undefined },
    arguments: { ...whole, Process: { ...whole.Process, Args: [] } },
  };
  for (const [what, spec] of Object.entries(cases)) {
    t.throws(() => converted(spec), { ...refused, message: new RegExp(what) }, what);
  }
});

test("a process without capabilities keeps them open, as an exec may", async (t) => {
  const { Process } = sent(specOf("/root", plain));
  if (Process === undefined) throw new Error("no process");
  t.equal(ociProcess({ ...Process, Capabilities: undefined }).capabilities, undefined);
  t.match(ociProcess(Process), {
    cwd: "/",
    terminal: false,
    oomScoreAdj: 0,
    user: { uid: 0, gid: 0, additionalGids: [] },
  });
});

test("capabilities are known by any of their spellings", async (t) => {
  const whole = specOf("/root", plain);
  const names = ["CAP_KILL", "kill", '"CAP_KILL"', "cap_kill"];
  const { process } = converted({
    ...whole,
    Process: { ...whole.Process, Capabilities: { Bounding: names } },
  });
  t.same(process?.capabilities?.bounding, Array(4).fill("CAP_KILL"));
  t.same(process?.capabilities?.effective, [], "an empty set is a set");
});

test("mounts, hooks, mappings and filters are spelled as the document has them", async (t) => {
  const spec = converted({
    ...withLinux({
      UIDMappings: [{ HostID: 1000, ContainerID: 0, Size: 5 }],
      Namespaces: [{ Type: "user" }, { Type: "mount", Path: "/x" }],
      Devices: [{ Path: "/dev/x", Type: "c", Major: 10n, Minor: 200n }],
      Seccomp: {
        DefaultAction: "SCMP_ACT_ERRNO",
        Syscalls: [
          {
            Names: ["read"],
            Action: "SCMP_ACT_ALLOW",
            Args: [{ Index: 1n, Value: 2n ** 63n, Op: "SCMP_CMP_EQ" }],
          },
          { Names: ["write"], Action: "SCMP_ACT_ERRNO", errnoret: 0 },
        ],
      },
    }),
    Version: "",
    Mounts: [
      { destination: "/a", source: "/b", type: "", options: ["rbind"] },
      { destination: "/c", source: "/d", type: "none", options: ["bind", "ro"] },
      { destination: "/p", source: "proc", type: "proc" },
    ],
    Hooks: {
      CreateRuntime: [{ Path: "/never" }],
      StartContainer: [{ Path: "/hook", Args: ["hook"], Timeout: 3n }],
      Poststop: [{ Path: "/after" }],
    },
    Annotations: new Map([["k", "v"]]),
  });
  t.equal(spec.ociVersion, "1.0.2");
  t.same(spec.linux?.uidMappings, [{ containerID: 0, hostID: 1000, size: 5 }]);
  t.same(
    spec.mounts?.map(({ type }) => type),
    ["bind", "bind", "proc"],
  );
  t.same(spec.hooks, {
    startContainer: [{ path: "/hook", args: ["hook"], timeout: 3 }],
    poststop: [{ path: "/after", timeout: 10 }],
  });
  t.same(spec.annotations, { k: "v" });
  t.equal("fileMode" in (spec.linux?.devices?.[0] ?? {}), false, "mode 0 is no mode");
  const [read, write] = spec.linux?.seccomp?.syscalls ?? [];
  t.equal(read?.errnoRet, undefined, "without an errno of its own a call fails with EPERM");
  t.equal(write?.errnoRet, 0);
  t.match(ociJson({ args: read?.args ?? [] }), /9223372036854775808/);
  t.match(ociJson(spec), /"major":10,"minor":200/);
});

test("a NUL is refused in names as in texts", async (t) => {
  for (const sysctl of [{ "net.a\0b": "1" }, { "net.a": "1\0" }]) {
    t.throws(() => ociJson({ linux: { sysctl } }), { code: Code.internal, message: /NUL/ });
  }
});
