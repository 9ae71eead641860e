import { test } from "tap";
import { buildSpec, type SpecRequest } from "../../src/ctl/spec.ts";
import { Spec } from "../../src/gen/oci.ts";
import { decodeMessage } from "../../src/wire/protobuf-decode.ts";
import { encodeMessage } from "../../src/wire/protobuf-encode.ts";

const plain: SpecRequest = {
  containerId: "web",
  sandboxId: "pod",
  role: "container",
  rootPath: "/root",
  args: ["sh"],
};

/** The document as the agent gets it. */
const received = (request: Partial<SpecRequest> = {}): Spec =>
  decodeMessage(Spec, encodeMessage(Spec, buildSpec({ ...plain, ...request }))) as Spec;

test("the document is constrained as the Go shim does", (t) => {
  const { Linux: linux, Hooks: hooks } = received();
  t.same(
    linux?.Namespaces,
    ["mount", "ipc", "uts"].map((Type) => ({ Type, Path: "" })),
  );
  t.equal(hooks, undefined);
  t.equal(linux?.Seccomp, undefined);
  t.match(linux?.Resources, { Devices: [], Pids: undefined, BlockIO: undefined, Network: undefined });
  t.end();
});

test("annotations tell pause and app containers apart", (t) => {
  const of = (request: Partial<SpecRequest>) => Object.fromEntries(received(request).Annotations);
  t.same(of({ role: "sandbox", containerId: "pod" }), {
    "io.kubernetes.cri.container-type": "sandbox",
    "io.kubernetes.cri.sandbox-id": "pod",
    "io.katacontainers.pkg.oci.container_type": "pod_sandbox",
  });
  t.match(of({ name: "app" }), {
    "io.kubernetes.cri.container-type": "container",
    "io.kubernetes.cri.container-name": "app",
    "io.katacontainers.pkg.oci.container_type": "pod_container",
  });
  t.end();
});

test("the defaults are those of containerd", (t) => {
  const { Process: process, Mounts: mounts, Linux: linux } = received();
  t.equal(process?.Capabilities?.Bounding.length, 14);
  t.same(process?.Capabilities?.Inheritable, []);
  t.same(process?.Rlimits, [{ Type: "RLIMIT_NOFILE", Hard: 1024n, Soft: 1024n }]);
  t.match(process?.Env[0], /^PATH=/);
  t.same(
    mounts.map(({ destination }) => destination),
    ["/proc", "/dev", "/dev/pts", "/dev/mqueue", "/sys", "/sys/fs/cgroup", "/dev/shm"],
  );
  t.ok(linux?.MaskedPaths.includes("/proc/kcore") && linux.ReadonlyPaths.includes("/proc/sys"));
  t.end();
});

test("shared memory is that of the sandbox, or the container's own", (t) => {
  const shm = (request: Partial<SpecRequest>) =>
    received(request).Mounts.find(({ destination }) => destination === "/dev/shm");
  t.match(shm({}), { type: "bind", source: "/run/kata-containers/sandbox/shm", options: ["rbind"] });
  t.match(shm({ ownShm: true }), { type: "tmpfs", source: "shm" });
  t.end();
});

test("only a rootless container goes without group 5 and without a better OOM score", (t) => {
  const pts = (rootless: boolean) =>
    received({ rootless }).Mounts.find(({ type }) => type === "devpts")?.options ?? [];
  t.ok(pts(false).includes("gid=5"));
  t.notOk(pts(true).includes("gid=5"));
  t.equal(received({ role: "sandbox" }).Process?.OOMScoreAdj, -998n);
  t.equal(received({ role: "sandbox", rootless: true }).Process?.OOMScoreAdj, 0n);
  t.end();
});
