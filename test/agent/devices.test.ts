import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import t from "tap";
import { Code } from "../../src/base/code.ts";
import type { Device } from "../../src/gen/agent.ts";
import type { Input } from "../../src/gen/message-type.ts";
import type { LinuxDevice } from "../../src/gen/oci.ts";
import { processOf, specOf } from "../fakes/container-spec.ts";
import { needsRoot, type RealAgent, refusal, startAgent } from "../fakes/real-agent.ts";

// agent-api 3.3.5 and 4.4, on the agent itself
const gpu = {
  cdiVersion: "0.6.0",
  kind: "example.com/gpu",
  devices: [
    {
      name: "0",
      containerEdits: {
        env: ["GPU=zero"],
        deviceNodes: [{ path: "/dev/gpu0", hostPath: "/dev/zero" }],
        hooks: [{ hookName: "createContainer", path: "/bin/touch", args: ["touch", "/run/hooked"] }],
        mounts: [{ hostPath: "/run/gpu-lib", containerPath: "/opt/gpu", options: ["ro", "bind"] }],
      },
    },
  ],
};

const hex = (digits: string) => Number(digits).toString(16);

type More = {
  readonly annotations?: Readonly<Record<string, string>>;
  readonly devices?: Input<Device>[];
  readonly nodes?: Input<LinuxDevice>[];
};

function put(agent: RealAgent, path: string, text: string): void {
  mkdirSync(agent.path(dirname(path)), { recursive: true });
  writeFileSync(agent.path(path), text);
}

/** Runs a container of a request with more in it than a plain one. */
async function run(
  agent: RealAgent,
  name: string,
  args: readonly string[],
  { annotations = {}, devices = [], nodes = [] }: More,
): Promise<string> {
  const container_id = agent.id(name);
  const plain = specOf(agent.root, { args });
  const OCI = {
    ...plain,
    Annotations: new Map(Object.entries(annotations)),
    Linux: { ...plain.Linux, Devices: nodes },
  };
  await agent.calls.CreateContainer({ container_id, devices, OCI });
  await agent.calls.StartContainer({ container_id });
  return container_id;
}

t.test("in an agent of one's own", needsRoot, async (t) => {
  const agent = await startAgent();
  t.teardown(() => agent[Symbol.asyncDispose]());
  const { calls } = agent;

  await t.test("a container gets the CDI device that its annotation names", async (t) => {
    put(agent, "/run/cdi/gpu.json", JSON.stringify(gpu));
    put(agent, "/run/gpu-lib/version", "7");
    const script = "echo $GPU; head -c 3 /dev/gpu0 | wc -c; cat /opt/gpu/version";
    const id = await run(agent, "gpu", ["sh", "-c", script], {
      annotations: { "cdi.k8s.io/plugin": "example.com/gpu=0" },
    });
    t.equal(`${await agent.readAll(id)}`, "zero\n3\n7");
    t.ok(existsSync(agent.path("/run/hooked")), "its hook has run");
    await agent.remove(id);
  });

  await t.test("a CDI device that does not exist fails the create and leaves nothing", async (t) => {
    put(agent, "/run/cdi/gpu.json", JSON.stringify(gpu));
    const before = agent.traces();
    const create = run(agent, "none", ["true"], {
      annotations: { "cdi.k8s.io/plugin": "example.com/gpu=9" },
    });
    t.match(await refusal(create), { code: Code.internal, message: /gpu=9 does not exist/ });
    t.strictSame(agent.traces(), before);
  });

  await t.test(
    "a disk is found by its node and takes the place of the host's in the container",
    async (t) => {
      const [number = ""] = readdirSync("/sys/dev/block");
      const [major = "", minor = ""] = number.split(":");
      execFileSync("mknod", [agent.path("/dev/xdisk"), "b", major, minor]);
      const device = { type: "mmioblk", vm_path: "/dev/xdisk", container_path: "/dev/data" };
      const nodes = [{ Path: "/dev/data", Type: "b", Major: 8n, Minor: 99n, FileMode: 0o600 }];
      const id = await run(agent, "disk", ["stat", "-c", "%F %t:%T", "/dev/data"], {
        devices: [device],
        nodes,
      });
      t.equal(
        `${await agent.readAll(id)}${await agent.readAll(id, "", "Stderr")}`,
        `block special file ${hex(major)}:${hex(minor)}\n`,
      );
      await agent.remove(id);
      const twice = { devices: [device, device], OCI: specOf(agent.root, { args: ["true"] }) };
      const refused = await refusal(calls.CreateContainer({ container_id: agent.id("twice"), ...twice }));
      t.match(refused, { code: Code.internal, message: /two devices have one path/ });
      const missing = { devices: [device], OCI: specOf(agent.root, { args: ["true"] }) };
      t.match(await refusal(calls.CreateContainer({ container_id: agent.id("missing"), ...missing })), {
        code: Code.internal,
        message: /missing in the spec/,
      });
    },
  );

  // agent-api 4.4
  await t.test("devices that cannot be are refused with what is wrong, and the id stays free", async (t) => {
    const good = { id: "05/00", type: "blk", container_path: "/dev/x" };
    const cases: [object, number, RegExp][] = [
      [{ ...good, type: "" }, Code.internal, /no type/],
      [{ ...good, type: "floppy" }, Code.internal, /no handler/],
      [{ ...good, id: "" }, Code.internal, /neither id nor path/],
      [{ ...good, container_path: "" }, Code.internal, /no path in the container/],
      [{ ...good, id: "zz" }, Code.internal, /invalid PCI path/],
      [{ ...good, type: "scsi", id: "1" }, Code.internal, /invalid SCSI address/],
      [{ ...good, type: "mmioblk", vm_path: "/etc/passwd" }, Code.internal, /not below \/dev/],
      [{ ...good, type: "vfio-pci", options: ["0000:01:00.0=02/00"] }, Code.internal, /EPERM/],
      [{ ...good, type: "vfio-pci-gk", options: ["elsewhere=02/00"] }, Code.internal, /malformed/],
      [{ ...good, type: "vfio-ap" }, Code.unimplemented, /s390x/],
      [{ ...good, type: "blk-ccw" }, Code.unimplemented, /s390x/],
    ];
    const before = agent.traces();
    for (const [device, code, message] of cases) {
      const OCI = specOf(agent.root, { args: ["true"] });
      const create = calls.CreateContainer({ container_id: agent.id("bad"), devices: [device], OCI });
      t.match(await refusal(create), { code, message }, JSON.stringify(device));
    }
    t.strictSame(agent.traces(), before);
  });

  await t.test(
    "addresses of devices that are not there stay as they are, in init and in execs",
    async (t) => {
      const env = ["PCIDEVICE_X=0000:3b:00.0"];
      const id = await agent.run("env", { args: ["sleep", "1000"], env });
      const process = processOf({ args: ["sh", "-c", "echo $PCIDEVICE_X"], env });
      await calls.ExecProcess({ container_id: id, exec_id: "one", process });
      t.equal(`${await agent.readAll(id, "one")}`, "0000:3b:00.0\n");
      await agent.remove(id);
    },
  );
});
