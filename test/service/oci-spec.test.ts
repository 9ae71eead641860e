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
  Linux: { Namespaces: [{ Type: "uts" }], ...linux },
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
      GIDMappings: [{ HostID: 2000, ContainerID: 0, Size: 5 }],
      Namespaces: [{ Type: "user" }, { Type: "uts" }, { Type: "mount", Path: "/x" }],
      Devices: [{ Path: "/dev/null", Type: "c", Major: 10n, Minor: 200n, FileMode: 0o640 }],
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
  t.equal(spec.linux?.devices?.[0]?.fileMode, 0o640);
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

test("unknown words of the document are refused (agent-api 3.3.3)", async (t) => {
  const whole = specOf("/root", plain);
  const seccomp = { DefaultAction: "SCMP_ACT_ALLOW" };
  const call = { Names: ["read"], Action: "SCMP_ACT_ERRNO" };
  const cases: Record<string, Input<Spec>> = {
    capability: { ...whole, Process: { ...whole.Process, Capabilities: { Ambient: ["CAP_FLY"] } } },
    limit: { ...whole, Process: { ...whole.Process, Rlimits: [{ Type: "NOFILE", Hard: 1n, Soft: 1n }] } },
    "seccomp action": withLinux({ Seccomp: { DefaultAction: "ALLOW" } }),
    "seccomp architecture": withLinux({ Seccomp: { ...seccomp, Architectures: ["SCMP_ARCH_PDP11"] } }),
    "seccomp flag": withLinux({ Seccomp: { ...seccomp, Flags: ["SECCOMP_FILTER_FLAG_FAST"] } }),
    "seccomp operator": withLinux({
      Seccomp: { ...seccomp, Syscalls: [{ ...call, Args: [{ Op: "SCMP_CMP_XX" }] }] },
    }),
    sixth: withLinux({
      Seccomp: { ...seccomp, Syscalls: [{ ...call, Args: [{ Index: 6n, Op: "SCMP_CMP_EQ" }] }] },
    }),
    propagation: withLinux({ RootfsPropagation: "rshy" }),
  };
  for (const [what, spec] of Object.entries(cases)) {
    t.throws(() => converted(spec), { ...refused, message: new RegExp(what) }, what);
  }
});

test("what contradicts itself is refused (agent-api 3.3.8)", async (t) => {
  const whole = specOf("/root", plain);
  const maps = { UIDMappings: [{ Size: 1 }], GIDMappings: [{ Size: 1 }] };
  const user = { Namespaces: [{ Type: "uts" }, { Type: "user" }] };
  const cases: Record<string, Input<Spec>> = {
    uts: withLinux({ Namespaces: [{ Type: "ipc" }] }),
    "masked or read-only": withLinux({ MaskedPaths: ["/proc/kcore"] }),
    clean: withLinux({ Namespaces: [{ Type: "uts" }, { Type: "mount" }], ReadonlyPaths: ["/proc/../etc"] }),
    SELinux: withLinux({ MountLabel: "label" }),
    "SELinux ": { ...whole, Process: { ...whole.Process, SelinuxLabel: "system_u:x" } },
    "user namespace": withLinux(maps),
    "user namespace ": withLinux({ ...user, UIDMappings: maps.UIDMappings }),
    "user namespace and": withLinux({ ...user, ...maps, GIDMappings: [{ Size: 0 }] }),
    "too many mounts": { ...whole, Mounts: Array(5000).fill({ destination: "/a", type: "tmpfs" }) },
    "huge page": withLinux({ Resources: { HugepageLimits: [{ Pagesize: "../x", Limit: 1n }] } }),
    hook: { ...whole, Hooks: { Prestart: [{ Path: "hook" }] } },
    destination: { ...whole, Mounts: [{ destination: "relative", source: "/a", options: ["bind"] }] },
    "destination ": { ...whole, Mounts: [{ destination: "/a/../../b", source: "/a", options: ["bind"] }] },
  };
  for (const [what, spec] of Object.entries(cases)) {
    t.throws(() => converted(spec), { ...refused, message: new RegExp(what.trim()) }, what);
  }
  t.ok(converted(withLinux({ ...user, ...maps, MountLabel: "system_u:object_r:container_file_t:s0:c1,c2" })));
});

test("sysctls are held to those of the container's namespaces (agent-api 3.3.8)", async (t) => {
  const listed = (name: string, ...types: string[]) =>
    withLinux({
      Namespaces: ["uts", ...types].map((Type) => ({ Type })),
      Sysctl: new Map([[name, "1"]]),
    });
  const ipc = "msgmax msgmnb msgmni sem shmall shmmax shmmni shm_rmid_forced".split(" ");
  for (const name of [...ipc.map((word) => `kernel.${word}`), "fs.mqueue.msg_max"]) {
    t.ok(converted(listed(name, "ipc")), name);
    t.throws(() => converted(listed(name)), { ...refused, message: /sysctl.*ipc/ }, name);
  }
  for (const name of ["net.ipv4.ip_forward", "net.ipv4.conf.eth0/7.forwarding", "kernel.domainname"]) {
    t.ok(converted(listed(name)), name);
  }
  const noUts = { ...listed("kernel.domainname"), Hostname: "" };
  t.throws(() => converted({ ...noUts, Linux: { ...noUts.Linux, Namespaces: [] } }), refused);
  for (const name of [
    "kernel.hostname",
    "kernel.core_pattern",
    "vm.swappiness",
    "fs.file-max",
    "net/../kernel/core_pattern",
    "net..x",
    "net.",
    "",
  ]) {
    t.throws(() => converted(listed(name, "ipc")), { ...refused, message: /sysctl/ }, name);
  }
});

test("option words that crun would hand to the file system are dropped (agent-api 3.3.11)", async (t) => {
  const options = ["acl", "noacl", "iversion", "noiversion", "loud", "silent", "ro", "size=1m"];
  const mount = { destination: "/a", source: "tmpfs", type: "tmpfs", options };
  t.same(converted({ ...specOf("/root", plain), Mounts: [mount] }).mounts?.[0]?.options, ["ro", "size=1m"]);
});
