/** Resources of containers on the guest's real control groups (agent-api 3.13 to 3.15, 3.24 step 3, 5.3, 5.4). */
import t, { type Test } from "tap";
import { bootGuest } from "../../scripts/boot-guest.ts";
import { whyNoVm } from "../../scripts/vm-requirements.ts";
import type { Input } from "../../src/gen/message-type.ts";
import { AgentServiceMethods } from "../../src/gen/methods.ts";
import type { LinuxResources } from "../../src/gen/oci.ts";
import { type ClientOf, clientOf } from "../../src/rpc/client.ts";
import { createTtrpcClient } from "../../src/rpc/ttrpc/client.ts";
import { parseAddress } from "../../src/vsock/address.ts";
import { dial } from "../../src/vsock/dial.ts";
import { processOf, specOf } from "../fakes/container-spec.ts";

const skip = whyNoVm() ?? false;
const megabyte = 1024n * 1024n;
const cgroupMount = { destination: "/cgroup", type: "cgroup", source: "cgroup", options: ["ro"] };

type Calls = ClientOf<typeof AgentServiceMethods>;

/** A guest's agent with containers whose root is that of the guest. */
class Containers {
  readonly calls: Calls;
  #execs = 0;

  constructor(calls: Calls) {
    this.calls = calls;
  }

  async run(
    container_id: string,
    script: string,
    Resources: Input<LinuxResources>,
    CgroupsPath = "",
  ): Promise<void> {
    const spec = specOf("/", { args: ["busybox", "sh", "-c", script], env: ["PATH=/usr/bin"] });
    const OCI = {
      ...spec,
      Mounts: [...(spec.Mounts ?? []), { ...cgroupMount, destination: "/mnt" }],
      Linux: { ...spec.Linux, Resources, CgroupsPath },
    };
    await this.calls.CreateContainer({ container_id, OCI });
    await this.calls.StartContainer({ container_id });
  }

  /** The words of files of the container's group, as it sees them itself. */
  async group(container_id: string, ...names: string[]): Promise<string[]> {
    this.#execs += 1;
    const exec_id = `look${this.#execs}`;
    const script = `cd /mnt; for f in ${names.join(" ")}; do busybox cat $f; done`;
    const process = processOf({ args: ["busybox", "sh", "-c", script], env: ["PATH=/usr/bin"] });
    await this.calls.ExecProcess({ container_id, exec_id, process });
    const output = await this.#readAll(container_id, exec_id);
    await this.calls.WaitProcess({ container_id, exec_id });
    return output.trimEnd().split("\n");
  }

  async #readAll(container_id: string, exec_id: string): Promise<string> {
    let text = "";
    for (;;) {
      const { data } = await this.calls.ReadStdout({ container_id, exec_id, len: 4096 });
      if (data.length === 0) return text;
      text += Buffer.from(data);
    }
  }

  async remove(container_id: string): Promise<void> {
    await this.calls.RemoveContainer({ container_id });
  }
}

t.test("resources of containers in a guest", { skip }, async (t) => {
  await using guest = await bootGuest();
  await guest.listening();
  await using client = createTtrpcClient(
    await dial(parseAddress(guest.address(1024)), { timeoutMs: 60_000 }),
  );
  const containers = new Containers(clientOf(client, AgentServiceMethods));
  await containers.calls.CreateSandbox({ sandbox_id: "resources" });
  await limits(t, containers);
  await tolerance(t, containers);
  await updates(t, containers);
  await cpusets(t, containers);
  await figures(t, containers);
  await hooks(t, containers);
  await guest.seen(/"stage":"prestart"[^\n]*"how":"exited","number":7/, 30_000);
  await guest.seen(/"stage":"startContainer"[^\n]*"how":"exited","number":8/, 30_000);
  t.match(guest.console(), /cpuset was not applied/, "what was not applied is told");
  t.match(guest.console(), /limit of a block device was not applied/);
  await containers.calls.DestroySandbox({});
});

function limits(t: Test, containers: Containers): Promise<unknown> {
  return t.test("limits are what the group says (5.4), below the group that was named (5.3)", async (t) => {
    const resources = {
      Memory: { Limit: 64n * megabyte, Swap: 96n * megabyte, Reservation: 16n * megabyte },
      CPU: { Shares: 1024n, Quota: 50_000n, Period: 200_000n },
      Pids: { Limit: 77n },
      HugepageLimits: [{ Pagesize: "2MB", Limit: 4n * megabyte }],
    };
    await containers.run("limits", "sleep 1000", resources, "kubepods-pod1.slice:cri-containerd:limits");
    const files = [
      "memory.max",
      "memory.low",
      "cpu.weight",
      "cpu.max",
      "pids.max",
      "memory.swap.max",
      "hugetlb.2MB.max",
    ];
    t.same(await containers.group("limits", ...files), [
      `${64n * megabyte}`,
      `${16n * megabyte}`,
      "39",
      "50000 200000",
      "77",
      `${32n * megabyte}`,
      `${4n * megabyte}`,
    ]);
    const unlimited = { Memory: { Limit: -1n, Swap: -1n }, CPU: { Quota: -1n }, Pids: { Limit: -1n } };
    await containers.run("unlimited", "sleep 1000", unlimited);
    const words = await containers.group("unlimited", "memory.max", "memory.swap.max", "cpu.max", "pids.max");
    t.same(words, ["max", "max", "max 100000", "max"]);
    for (const id of ["limits", "unlimited"]) await containers.remove(id);
  });
}

function tolerance(t: Test, containers: Containers): Promise<unknown> {
  return t.test("processors and devices that are not there end no container (5.4)", async (t) => {
    const device = { Major: 250n, Minor: 7n, Rate: 1000n };
    const resources = { CPU: { Cpus: "60-61" }, BlockIO: { Weight: 500, ThrottleReadBpsDevice: [device] } };
    await containers.run("tolerant", "sleep 1000", resources);
    t.same(await containers.group("tolerant", "cpuset.cpus.effective"), ["0-1"]);
    await containers.remove("tolerant");
  });
}

function updates(t: Test, containers: Containers): Promise<unknown> {
  return t.test("an update changes what it names and keeps the rest (3.14)", async (t) => {
    const resources = {
      Memory: { Limit: 64n * megabyte, Swap: 64n * megabyte },
      CPU: { Shares: 512n, Quota: 10_000n, Period: 100_000n, Cpus: "1" },
    };
    await containers.run("updated", "sleep 1000", resources);
    const { calls } = containers;
    const all = ["memory.max", "memory.swap.max", "cpu.weight", "cpu.max", "cpuset.cpus"];
    const seen = () => containers.group("updated", ...all);
    t.same(await seen(), [`${64n * megabyte}`, "0", "20", "10000 100000", "1"]);
    await calls.UpdateContainer({ container_id: "updated" });
    await calls.UpdateContainer({ container_id: "updated", resources: { CPU: { Quota: 20_000n } } });
    await calls.UpdateContainer({ container_id: "updated", resources: { Memory: { Swap: 80n * megabyte } } });
    t.same(await seen(), [`${64n * megabyte}`, `${16n * megabyte}`, "20", "20000 100000", "1"]);
    const more = { Memory: { Limit: 128n * megabyte, Swap: -1n }, CPU: { Quota: -1n, Shares: 1024n } };
    for (let times = 0; times < 2; times++) {
      await calls.UpdateContainer({ container_id: "updated", resources: more });
      t.same(await seen(), [`${128n * megabyte}`, "max", "39", "max 100000", "1"]);
    }
    await containers.remove("updated");
  });
}

function cpusets(t: Test, containers: Containers): Promise<unknown> {
  return t.test("a cpuset reaches the container and the groups above it (3.24 step 3)", async (t) => {
    await containers.run("cpus", "sleep 1000", { CPU: { Cpus: "1", Mems: "0" } }, "/kubepods/pod9/cpus");
    t.same(await containers.group("cpus", "cpuset.cpus.effective", "cpuset.mems"), ["1", "0"]);
    await containers.calls.OnlineCPUMem({ nb_cpus: 2 });
    t.same(await containers.group("cpus", "cpuset.cpus"), ["1"]);
    await containers.run("beside", "sleep 1000", { CPU: { Cpus: "0" } }, "/kubepods/pod9/beside");
    t.same(await containers.group("beside", "cpuset.cpus.effective"), ["0"]);
    for (const id of ["cpus", "beside"]) await containers.remove(id);
  });
}

function figures(t: Test, containers: Containers): Promise<unknown> {
  return t.test(
    "figures come from the group, also of one that is paused or killed (3.13, 3.15)",
    async (t) => {
      const { calls } = containers;
      const container_id = "figures";
      const resources = {
        Memory: { Limit: 64n * megabyte, Swap: 64n * megabyte },
        CPU: { Quota: 5_000n, Period: 100_000n },
        Pids: { Limit: 50n },
      };
      await containers.run(container_id, "while :; do :; done", resources);
      const stats = async () => (await calls.StatsContainer({ container_id })).cgroup_stats;
      let cpu = (await stats())?.cpu_stats;
      while ((cpu?.throttling_data?.throttled_periods ?? 0n) === 0n) cpu = (await stats())?.cpu_stats;
      t.ok((cpu?.throttling_data?.throttled_time ?? 0n) > 0n);
      t.ok((cpu?.throttling_data?.periods ?? 0n) > 0n);
      t.ok((cpu?.cpu_usage?.total_usage ?? 0n) > 0n);
      const { memory_stats, pids_stats, blkio_stats, hugetlb_stats } = (await stats()) ?? {};
      t.equal(memory_stats?.usage?.limit, 64n * megabyte);
      t.ok((memory_stats?.usage?.max_usage ?? 0n) >= (memory_stats?.usage?.usage ?? 0n));
      t.ok(memory_stats?.stats?.has("inactive_file"), "what kubelet's working set is made of");
      t.ok(memory_stats?.stats?.has("anon"));
      t.same(pids_stats, { current: 1n, limit: 50n });
      t.same([blkio_stats?.io_serviced_recursive, blkio_stats?.sectors_recursive], [[], []]);
      t.match([...(hugetlb_stats?.keys() ?? [])].join(), /2MB/);
      await calls.PauseContainer({ container_id });
      await t.rejects(calls.PauseContainer({ container_id }), { message: /paused/ });
      t.equal((await stats())?.pids_stats?.current, 1n);
      await calls.ResumeContainer({ container_id });
      await t.rejects(calls.ResumeContainer({ container_id }), { message: /running/ });
      await calls.PauseContainer({ container_id });
      const removed = calls.RemoveContainer({ container_id });
      const answers = await Promise.allSettled([stats(), stats(), stats()]);
      t.same(
        answers.map(({ status }) => status),
        ["fulfilled", "fulfilled", "fulfilled"],
        "while it is being killed",
      );
      await removed;
    },
  );
}

function hooks(t: Test, { calls }: Containers): Promise<unknown> {
  return t.test("hooks run on what the image has (3.3.6)", async (t) => {
    const container_id = "hooked";
    const hook = (script: string) => ({ Path: "/usr/bin/busybox", Args: ["busybox", "sh", "-c", script] });
    const OCI = {
      ...specOf("/", { args: ["busybox", "true"], env: ["PATH=/usr/bin"] }),
      Hooks: { Prestart: [hook("exit 7")], StartContainer: [hook("exit 8")] },
    };
    await calls.CreateContainer({ container_id, OCI });
    await calls.StartContainer({ container_id });
    t.equal((await calls.WaitProcess({ container_id })).status, 0);
    await calls.RemoveContainer({ container_id });
  });
}
