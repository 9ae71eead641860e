import { test } from "tap";
import { Code } from "../../src/base/code.ts";
import { effectiveSpec } from "../../src/service/effective-spec.ts";

const none = { ipc: undefined, uts: undefined, pid: undefined };
const pod = { ipc: "/ns/ipc", uts: "/ns/uts", pid: "/ns/pid" };
const spec = (...types: string[]) => ({
  ociVersion: "1.0.2",
  hostname: "host",
  linux: { namespaces: types.map((type) => ({ type, path: "/from/the/host" })), maskedPaths: ["/x"] },
});
const apart = { podPid: false, firstContainer: false };
const namespaces = (...args: Parameters<typeof effectiveSpec>) => effectiveSpec(...args).linux?.namespaces;

test("ipc and uts are the pod's, pid and cgroup always there, network never", async (t) => {
  const all = spec("ipc", "uts", "mount", "user", "pid", "network", "cgroup", "time");
  t.same(namespaces(all, pod, apart), [
    { type: "ipc", path: "/ns/ipc" },
    { type: "uts", path: "/ns/uts" },
    { type: "mount" },
    { type: "user" },
    { type: "pid" },
    { type: "cgroup" },
  ]);
  t.same(namespaces(spec("ipc"), none, apart), [{ type: "ipc" }, { type: "pid" }, { type: "cgroup" }]);
  t.same(namespaces({ ociVersion: "1.0.2" }, none, apart), [{ type: "pid" }, { type: "cgroup" }]);
  t.throws(() => namespaces(spec("shadow"), none, apart), { code: Code.internal });
});

test("the pid namespace of the pod is joined, made by the first, or missed", async (t) => {
  const wanted = { podPid: true, firstContainer: false };
  t.same(namespaces(spec(), pod, wanted), [{ type: "pid", path: "/ns/pid" }, { type: "cgroup" }]);
  t.same(namespaces(spec(), none, { podPid: true, firstContainer: true }), [
    { type: "pid" },
    { type: "cgroup" },
  ]);
  t.throws(() => namespaces(spec(), none, wanted), { code: Code.internal, message: /pid namespace/ });
});

test("the host name goes and all else stays", async (t) => {
  const sent = spec("ipc");
  const effective = effectiveSpec(sent, pod, apart);
  t.notOk("hostname" in effective);
  t.same(effective.linux?.maskedPaths, ["/x"]);
  t.equal(sent.hostname, "host", "what was sent is not changed");
});
