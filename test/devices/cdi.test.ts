import { mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Test, test } from "tap";
import { silentLog } from "../../src/base/log.ts";
import { type CdiOptions, injectCdi } from "../../src/devices/cdi.ts";
import type { OciSpec } from "../../src/runtime/oci.ts";

// agent-api 3.3.5
const never = new AbortController().signal;

function made(t: Test): { folder: string; write: (file: string, text: object | string) => void } {
  const folder = mkdtempSync(join(tmpdir(), "cdi-"));
  t.teardown(() => rmSync(folder, { recursive: true }));
  const write = (file: string, text: object | string) => {
    writeFileSync(join(folder, "part"), typeof text === "string" ? text : JSON.stringify(text));
    renameSync(join(folder, "part"), join(folder, file));
  };
  return { folder, write };
}

function options(folder: string, more: Partial<CdiOptions> = {}): CdiOptions {
  return { folder, timeoutMs: 0, fromEnvironment: false, log: silentLog, retryMs: 5, ...more };
}

function asking(names: string, more: Partial<OciSpec> = {}): OciSpec {
  return {
    ociVersion: "1.0.2",
    annotations: { "cdi.k8s.io/test": names },
    process: {
      args: ["true"],
      cwd: "/",
      user: { uid: 1000, gid: 1000, additionalGids: [5] },
      env: ["A=old", "B=b"],
    },
    mounts: [
      { destination: "/proc", type: "proc" },
      { destination: "/opt/lib", type: "bind", source: "/old" },
    ],
    ...more,
  };
}

const gpu = {
  cdiVersion: "0.6.0",
  kind: "example.com/gpu",
  containerEdits: { env: ["ONCE=1"], hooks: [{ hookName: "createContainer", path: "/bin/ldconfig" }] },
  devices: [
    {
      name: "0",
      containerEdits: {
        env: ["A=new"],
        deviceNodes: [{ path: "/dev/gpu0", hostPath: "/dev/null" }],
        mounts: [
          { hostPath: "/usr/lib", containerPath: "/opt/lib", options: ["ro", "bind"] },
          { hostPath: "/usr", containerPath: "/opt", options: ["bind"] },
        ],
        additionalGIDs: [44, 5],
      },
    },
    { name: "1", containerEdits: { deviceNodes: [{ path: "/dev/gpu1", type: "b", major: 240, minor: 3 }] } },
  ],
};

test("the edits of the document and of its devices are made in the container's document", async (t) => {
  const { folder, write } = made(t);
  write("gpu.json", gpu);
  const spec = await injectCdi(asking("example.com/gpu=0,example.com/gpu=1"), options(folder), never);
  t.strictSame(spec.process?.env, ["A=new", "B=b", "ONCE=1"]);
  t.strictSame(spec.process?.user, { uid: 1000, gid: 1000, additionalGids: [5, 44] });
  t.strictSame(spec.linux?.devices, [
    { path: "/dev/gpu0", type: "c", major: 1n, minor: 3n, fileMode: 0o666, uid: 1000, gid: 1000 },
    { path: "/dev/gpu1", type: "b", major: 240n, minor: 3n, uid: 1000, gid: 1000 },
  ]);
  t.strictSame(spec.linux?.resources?.devices, [
    { allow: true, type: "c", major: 1n, minor: 3n, access: "rwm" },
    { allow: true, type: "b", major: 240n, minor: 3n, access: "rwm" },
  ]);
  t.strictSame(
    spec.mounts?.map(({ destination, source }) => [destination, source]),
    [
      ["/proc", undefined],
      ["/opt", "/usr"],
      ["/opt/lib", "/usr/lib"],
    ],
  );
  t.strictSame(spec.hooks, { createContainer: [{ path: "/bin/ldconfig", args: [], env: [] }] });
});

test("a specification that comes later is waited for", async (t) => {
  const { folder, write } = made(t);
  const late = join(folder, "late");
  const injected = injectCdi(asking("example.com/gpu=1"), options(late, { timeoutMs: 60_000 }), never);
  mkdirSync(late);
  write("late/half.json", '{"cdiVersion": "0.6.0", "kin');
  write("late/gpu.json", gpu);
  t.match(await injected, { linux: { devices: [{ path: "/dev/gpu1" }] } });
});

test("a device that its kind does not have is refused at once", async (t) => {
  const { folder, write } = made(t);
  write("gpu.json", gpu);
  const forever = options(folder, { timeoutMs: 2 ** 31 - 1 });
  await t.rejects(injectCdi(asking("example.com/gpu=5"), forever, never), {
    code: 13,
    message: /gpu=5 does not exist/,
  });
});

test("a device that two documents claim is refused", async (t) => {
  const { folder, write } = made(t);
  write("a.json", gpu);
  write("b.json", gpu);
  await t.rejects(injectCdi(asking("example.com/gpu=1"), options(folder), never), { code: 13 });
});

test("the wait ends at its limit, and with its call", async (t) => {
  const { folder, write } = made(t);
  write("no.json", "{");
  const warned: object[] = [];
  const log = { ...silentLog, warn: (fields: object) => warned.push(fields) };
  await t.rejects(injectCdi(asking("example.com/gpu=1"), options(folder, { log }), never), {
    code: 13,
    message: /did not come/,
  });
  t.match(warned, [{ file: "no.json", reason: /not JSON/ }], "and tells of files that it could not use");
  const gone = new AbortController();
  const waiting = injectCdi(asking("example.com/gpu=1"), options(folder, { timeoutMs: 60_000 }), gone.signal);
  gone.abort(new Error("the caller is gone"));
  await t.rejects(waiting, { message: "the caller is gone" });
});

test("the pod's own container gets no devices, and one that asks for none is left alone", async (t) => {
  const { folder } = made(t);
  const annotations = {
    "cdi.k8s.io/test": "example.com/gpu=0",
    "io.katacontainers.pkg.oci.container_type": "pod_sandbox",
  };
  const pod = asking("", { annotations });
  t.equal(await injectCdi(pod, options(folder), never), pod);
  const plain = asking("", { annotations: {} });
  t.equal(await injectCdi(plain, options(folder), never), plain);
});

test("a node that is not there, or is another thing, fails the container", async (t) => {
  const { folder, write } = made(t);
  for (const node of [
    { path: "/dev/no-such-node" },
    { path: "/dev/null", type: "b" },
    { path: "/etc/passwd" },
  ]) {
    write("gpu.json", { ...gpu, devices: [{ name: "0", containerEdits: { deviceNodes: [node] } }] });
    await t.rejects(injectCdi(asking("example.com/gpu=0"), options(folder), never), { code: 13 }, node.path);
  }
});

test("specifications in YAML are read, as their generators write them by default", async (t) => {
  const { folder, write } = made(t);
  write(
    "gpu.yaml",
    [
      "---",
      "cdiVersion: 0.6.0",
      "kind: test/gpu",
      "containerEdits: {}",
      "devices:",
      '  - name: "0"',
      "    containerEdits:",
      "      env:",
      "        - GPU=0",
    ].join("\n"),
  );
  write("bomb.yaml", `a: &a [x]\n${Array.from({ length: 200 }, () => "- *a").join("\n")}\n`);
  const spec = await injectCdi(asking("test/gpu=0"), options(folder), never);
  t.ok(spec.process?.env?.includes("GPU=0"));
});
