import { test } from "tap";
import { requestedCdiDevices } from "../../src/devices/cdi-names.ts";
import type { OciSpec } from "../../src/runtime/oci.ts";

// agent-api 3.3.5
function asking(env: string[], annotations: Record<string, string> = {}): OciSpec {
  return {
    ociVersion: "1.0.2",
    annotations,
    process: { args: ["true"], cwd: "/", user: { uid: 0, gid: 0 }, env },
  };
}

function names(spec: OciSpec, fromEnvironment = true): string[] {
  return requestedCdiDevices(spec, fromEnvironment).map(({ kind, name }) => `${kind}=${name}`);
}

test("devices of annotations and of the variable are joined, each once", async (t) => {
  const annotations = {
    "cdi.k8s.io/one": "nvidia.com/gpu=0,example.com/class-a=dev.1:2",
    "io.kubernetes.other": "nvidia.com/gpu=7",
  };
  const env = ["PATH=/bin", "VISIBLE_CDI_DEVICES= nvidia.com/gpu=0,01 : nvidia.com/ib=all "];
  t.strictSame(names(asking(env, annotations)), [
    "nvidia.com/gpu=0",
    "example.com/class-a=dev.1:2",
    "nvidia.com/gpu=1",
    "nvidia.com/ib=all",
  ]);
  t.strictSame(names(asking(env), false), [], "the variable counts only where the guest allows it");
});

test("an empty variable and the words none and void ask for nothing", async (t) => {
  for (const value of ["", "none", "void", "  "]) {
    t.strictSame(names(asking([`VISIBLE_CDI_DEVICES=${value}`])), [], JSON.stringify(value));
  }
});

test("a malformed variable is refused", async (t) => {
  const bad = [
    "gpu=0",
    "nvidia.com/gpu",
    "=0",
    "nvidia.com/gpu=",
    "nvidia.com/gpu=all,0",
    "nvidia.com/gpu=x",
  ];
  for (const value of [...bad, "nvidia.com/gpu=-1", "nvidia.com/gpu=0::nvidia.com/ib=0", "../x=0"]) {
    t.throws(() => names(asking([`VISIBLE_CDI_DEVICES=${value}`])), { code: 13 }, value);
  }
});

test("an annotation that names no device is refused", async (t) => {
  for (const value of [
    "",
    "gpu",
    "nvidia.com/gpu",
    "nvidia.com/gpu=",
    "nvidia.com/gpu=a=b",
    "-x/gpu=0",
    "a/b=/etc",
  ]) {
    t.throws(() => names(asking([], { "cdi.k8s.io/x": value })), { code: 13 }, value);
  }
});
