/** What of the rest of a document reaches a container (agent-api 3.3.3 to 3.3.11), with crun as the one who does it. */
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import t, { test } from "tap";
import { Code } from "../../src/base/code.ts";
import type { Input } from "../../src/gen/message-type.ts";
import type { LinuxSeccomp, Mount, Spec } from "../../src/gen/oci.ts";
import { specOf } from "../fakes/container-spec.ts";
import { printedBy } from "../fakes/printed-by.ts";
import { needsRoot, refusal, startAgent } from "../fakes/real-agent.ts";

const agent = await startAgent();
t.teardown(() => agent[Symbol.asyncDispose]());
const { calls } = agent;
await calls.CreateSandbox({ sandbox_id: "spec", hostname: "spec-pod" });
const withoutSelinux = existsSync("/sys/fs/selinux/enforce") ? { skip: "SELinux is on here" } : {};
let serial = 0;

type Linux = NonNullable<Input<Spec>["Linux"]>;

const shell = (script: string) => specOf(agent.root, { args: ["sh", "-c", script] });
const nextId = () => {
  serial += 1;
  return agent.id(`spec${serial}`);
};

const printed = (OCI: Input<Spec>) => printedBy(agent, nextId(), OCI);

const refused = (OCI: Input<Spec>) => refusal(calls.CreateContainer({ container_id: nextId(), OCI }));

function withLinux(script: string, linux: Linux): Input<Spec> {
  const spec = shell(script);
  return { ...spec, Linux: { ...spec.Linux, ...linux } };
}

function withMounts(script: string, ...mounts: Input<Mount>[]): Input<Spec> {
  const spec = shell(script);
  return { ...spec, Mounts: [...(spec.Mounts ?? []), ...mounts] };
}

function filtered(script: string, Seccomp: Input<LinuxSeccomp>, NoNewPrivileges = false): Input<Spec> {
  const spec = withLinux(script, { Seccomp });
  return { ...spec, Process: { ...spec.Process, NoNewPrivileges } };
}

test("a filter bites, with EPERM unless it says otherwise (3.3.3)", async (t) => {
  const filter = (errnoret?: number, Action = "SCMP_ACT_ERRNO"): Input<LinuxSeccomp> => ({
    DefaultAction: "SCMP_ACT_ALLOW",
    Syscalls: [{ Names: ["mkdir", "mkdirat", "no_such_call_yet"], Action, ...(errnoret && { errnoret }) }],
  });
  const script = "mkdir /tmp/x; echo $?; grep Seccomp: /proc/self/status";
  for (const noNewPrivileges of [true, false]) {
    const output = await printed(filtered(script, filter(), noNewPrivileges));
    t.match(output, /Seccomp:\t2/);
    t.match(output, /mkdir: .*Operation not permitted/);
  }
  t.match(await printed(filtered(script, filter(28))), /mkdir: .*No space left/);
  const id = nextId();
  await calls.CreateContainer({
    container_id: id,
    OCI: filtered("sleep 1000", { DefaultAction: "SCMP_ACT_ALLOW", Syscalls: filter().Syscalls }),
  });
  await calls.StartContainer({ container_id: id });
  await agent.exec(id, "inside", { args: ["sh", "-c", script] });
  t.match(await agent.readAll(id, "inside"), /Seccomp:\t2/, "an exec has the filter of its container (3.6)");
  await agent.remove(id);
});

test("parameters of the container's namespaces are set, others refused (3.3.8)", needsRoot, async (t) => {
  const Sysctl = new Map([
    ["kernel.msgmax", "4242"],
    ["net.ipv4.ip_unprivileged_port_start", "77"],
    ["net.ipv4.no_such_parameter", "1"],
  ]);
  const script =
    "cat /proc/sys/kernel/msgmax /proc/sys/net/ipv4/ip_unprivileged_port_start; cat /proc/sys/kernel/domainname";
  const apart = readFileSync("/proc/sys/kernel/msgmax", "utf8");
  t.match(await printed(withLinux(script, { Sysctl })), /^4242\n77\n/);
  t.equal(readFileSync("/proc/sys/kernel/msgmax", "utf8"), apart, "the machine's own is as it was");
  const { message } = await refused(withLinux("true", { Sysctl: new Map([["vm.swappiness", "1"]]) }));
  t.match(message, /sysctl is not allowed/);
});

// agent-api 10.1
test("masked paths are files and folders, missing ones are skipped (3.3.11 step 5)", async (t) => {
  mkdirSync(join(agent.root, "secret"), { recursive: true });
  writeFileSync(join(agent.root, "secret/word"), "hidden");
  writeFileSync(join(agent.root, "etc/secret"), "hidden");
  const MaskedPaths = ["/secret", "/etc/secret", "/not/there", "/proc/timer_list"];
  const ReadonlyPaths = ["/bin", "/proc/sys", "/not/there/either"];
  const script =
    "ls -A /secret; cat /etc/secret; touch /secret/x; touch /bin/x; echo 1 >/proc/sys/kernel/msgmax; :";
  const output = await printed(withLinux(script, { MaskedPaths, ReadonlyPaths }));
  t.notMatch(output, /hidden|word/);
  t.match(output, /touch: \/secret\/x: Read-only file system/);
  t.match(output, /touch: \/bin\/x: Read-only file system/);
  t.match(output, /\/proc\/sys\/kernel\/msgmax: Read-only file system/);
});

test("a root is read-only when asked, and its propagation as asked (3.3.11 steps 1, 5)", async (t) => {
  const spec = shell("touch /x; touch /tmp/x && echo tmp");
  const output = await printed({ ...spec, Root: { Path: agent.root, Readonly: true } });
  t.match(output, /touch: \/x: Read-only file system/);
  t.match(output, /^tmp$/m);
  for (const [word, shown] of [
    ["rshared", /shared:/],
    ["rprivate", /^(?!.*(shared|master):)/],
  ] as const) {
    const line = await printed(
      withLinux("grep ' / / ' /proc/self/mountinfo || grep ' / ' /proc/self/mountinfo | head -1", {
        RootfsPropagation: word,
      }),
    );
    t.match(line, shown, word);
  }
});

test("mounts take the option words of the reference (3.3.11 step 2)", async (t) => {
  const folder = mkdtempSync(join(agent.folder, "mounts-"));
  writeFileSync(join(folder, "file"), "content");
  const bind = { source: folder, options: ["bind", "ro", "nosuid", "nodev", "noexec"] };
  const output = await printed(
    withMounts(
      "cat /untyped/file /as-file; touch /untyped/x; grep -E ' /(untyped|none|small) ' /proc/self/mountinfo",
      { destination: "/untyped", type: "", ...bind },
      { destination: "/none", type: "none", ...bind, options: ["rbind", "rprivate", "rw"] },
      { destination: "/as-file", type: "bind", source: join(folder, "file"), options: ["bind"] },
      {
        destination: "/small",
        type: "tmpfs",
        source: "tmpfs",
        options: ["size=64k", "acl", "noatime", "lazytime", "sync", "mode=700"],
      },
    ),
  );
  t.match(output, /^contentcontent/);
  t.match(output, /touch: \/untyped\/x: Read-only/);
  t.match(output, / \/untyped ro,nosuid,nodev,noexec/);
  t.match(output, / \/none rw/);
  t.match(output, / \/small rw,noatime .* rw,sync,lazytime,size=64k,mode=700/);
  const { code } = await refused(
    withMounts("true", { destination: "/x", source: "/not/there", options: ["bind"] }),
  );
  t.equal(code, Code.internal, "a source must exist");
});

test("nothing is mounted over /proc but proc, and below it only a few figures (3.3.11 step 2)", async (t) => {
  const bind = (destination: string, source = agent.root) => ({ destination, source, options: ["rbind"] });
  writeFileSync(join(agent.root, "etc/uptime"), "1.00 1.00\n");
  t.equal(
    await printed(withMounts("cat /proc/uptime", bind("/proc/uptime", join(agent.root, "etc/uptime")))),
    "1.00 1.00\n",
  );
  symlinkSync("/proc", join(agent.root, "led"));
  symlinkSync("../proc/sys", join(agent.root, "led-far"));
  const tmpfs = { type: "tmpfs", source: "tmpfs" };
  const cases = [
    bind("/proc"),
    { destination: "/proc", ...tmpfs },
    bind("/proc/sys"),
    bind("//proc/./self/"),
    bind("/led/sys"),
    bind("/led-far"),
    { destination: "/proc/acpi", ...tmpfs },
    { destination: "/led", type: "proc", source: "proc" },
    { destination: "/led", type: "sysfs", source: "sysfs" },
  ];
  for (const mount of cases) {
    const { code, message } = await refused(withMounts("true", mount));
    t.equal(code, Code.internal, mount.destination);
    t.match(message, /\/proc|proc and sysfs/, mount.destination);
  }
});

// agent-api 3.3.11
test("a destination never leads out of the root file system (10.1)", async (t) => {
  const outside = mkdtempSync(join(agent.folder, "outside-"));
  symlinkSync(outside, join(agent.root, "out"));
  symlinkSync(`../../../../../../../..${outside}`, join(agent.root, "far-out"));
  const tmpfs = { type: "tmpfs", source: "tmpfs" };
  for (const destination of ["/out/new", "/far-out/new"]) {
    await refusal(printed(withMounts("true", { destination, ...tmpfs })));
  }
  t.notOk(existsSync(join(outside, "new")));
});

test("no device is made where the image's /dev leads", needsRoot, async (t) => {
  const outside = mkdtempSync(join(agent.folder, "outside-"));
  const root = mkdtempSync(join(agent.folder, "led-dev-"));
  cpSync(join(agent.root, "bin"), join(root, "bin"), { recursive: true, verbatimSymlinks: true });
  for (const name of ["proc", "sys", "tmp"]) mkdirSync(join(root, name));
  // There in the image too: crun mounts there and then, following the link once more, opens the other.
  mkdirSync(join(root, outside), { recursive: true });
  symlinkSync(outside, join(root, "dev"));
  const { code, message } = await refused(specOf(root, { args: ["true"] }));
  t.equal(code, Code.internal);
  t.match(message, /\/dev of the image must not be a link/);
  t.strictSame(readdirSync(outside), []);
});

test("control groups are seen from the container's own down (3.3.11 step 2, 3.3.4)", needsRoot, async (t) => {
  const mount = {
    destination: "/sys/fs/cgroup",
    type: "cgroup",
    source: "cgroup",
    options: ["ro", "nosuid"],
  };
  const output = await printed(
    withMounts("cat /proc/self/cgroup; grep ' - cgroup2 ' /proc/self/mountinfo", mount),
  );
  t.match(output, /^0::\/$/m);
  t.match(output, / \/ \/sys\/fs\/cgroup ro,/);
});

test("the links and nodes of /dev are there (3.3.11 step 3)", needsRoot, async (t) => {
  const links = "for l in fd stdin stdout stderr ptmx; do readlink /dev/$l; done";
  const nodes = "for n in null zero full tty urandom random; do stat -c '%n %a %t:%T' /dev/$n; done";
  const output = await printed(shell(`${links}; ${nodes}`));
  t.match(
    output,
    /^\/proc\/self\/fd\n\/proc\/self\/fd\/0\n\/proc\/self\/fd\/1\n\/proc\/self\/fd\/2\n(\/dev\/)?pts\/ptmx\n/,
  );
  for (const node of [
    "null 666 1:3",
    "zero 666 1:5",
    "full 666 1:7",
    "tty 666 5:0",
    "urandom 666 1:9",
    "random 666 1:8",
  ]) {
    t.match(output, new RegExp(`/dev/${node}`));
  }
});

test("a user namespace has the maps that were sent (3.3.4)", needsRoot, async (t) => {
  const map = [{ ContainerID: 0, HostID: 100_000, Size: 65_536 }];
  const Namespaces = [{ Type: "ipc" }, { Type: "uts" }, { Type: "mount" }, { Type: "user" }];
  const spec = withLinux("id -u; tr -s ' ' </proc/self/uid_map; tr -s ' ' </proc/self/gid_map", {
    Namespaces: [{ Type: "mount" }, { Type: "user" }],
    UIDMappings: map,
    GIDMappings: map,
  });
  const plain = { ...spec, Hostname: "", Mounts: (spec.Mounts ?? []).filter(({ type }) => type !== "sysfs") };
  t.equal(await printed(plain), "0\n 0 100000 65536\n 0 100000 65536\n");
  const whole = withLinux(
    "id -u; hostname; readlink /proc/self/ns/ipc; ls /sys/class >/dev/null && echo sys",
    {
      Namespaces,
      UIDMappings: map,
      GIDMappings: map,
    },
  );
  const apart = await printed(withLinux("hostname; readlink /proc/self/ns/ipc", {}));
  t.equal(await printed(whole), `0\n${apart}sys\n`, "it is in the pod's other namespaces all the same");
  t.match((await refused(withLinux("true", { Namespaces }))).message, /id mappings/);
});

test("annotations stay with the container, orders to crun among them do not (10.1)", async (t) => {
  const file = join(agent.folder, "hook-output");
  const Annotations = new Map([
    ["io.kubernetes.cri.container-name", "main"],
    ["run.oci.hooks.stdout", file],
    ["run.oci.handler", "wasm"],
  ]);
  const container_id = nextId();
  await calls.CreateContainer({ container_id, OCI: { ...shell("sleep 1000"), Annotations } });
  const config = JSON.parse(
    readFileSync(agent.path(`/run/kata-containers/${container_id}/config.json`), "utf8"),
  );
  t.same(config.annotations, { "io.kubernetes.cri.container-name": "main" });
  await calls.RemoveContainer({ container_id });
  t.notOk(existsSync(file));
});

test("a label is refused where SELinux is off (3.3.10 step 18)", withoutSelinux, async (t) => {
  const spec = shell("true");
  const SelinuxLabel = "system_u:system_r:container_t:s0";
  const { code, message } = await refused({ ...spec, Process: { ...spec.Process, SelinuxLabel } });
  t.equal(code, Code.internal);
  t.match(message, /SELinux is off/);
  const MountLabel = "system_u:object_r:container_file_t:s0";
  t.equal(await printed(withLinux("echo fine", { MountLabel })), "fine\n", "a label of mounts has no effect");
});
