import { writeFileSync } from "node:fs";
import { join } from "node:path";
import t from "tap";
import { bootGuest } from "../../scripts/boot-guest.ts";
import { whyNoVm } from "../../scripts/vm-requirements.ts";
import { attributesOf, Collector, type OtlpSpan } from "../fakes/collector.ts";
import { runAgentctl } from "../fakes/fake-host.ts";
import { runForwarder, temporaryFolder } from "../forwarder/running.ts";

const skip = whyNoVm() ?? false;
const tracePort = 10240;
const append = "agent.trace=isolated";

const startOf = ({ startTimeUnixNano }: OtlpSpan) => BigInt(startTimeUnixNano);
const endOf = ({ endTimeUnixNano }: OtlpSpan) => BigInt(endTimeUnixNano);

t.test("a boot is one timeline, from the start of the kernel to the first call", { skip }, async (t) => {
  await using guest = await bootGuest({ append });
  const collector = new Collector();
  await collector.listen(guest.listenPath(tracePort));
  t.teardown(() => collector.close());
  await guest.listening();
  const addr = ["--addr", guest.address(1024), "--timeout", "300s"];
  t.equal((await runAgentctl([...addr, "check"])).status, 0);
  t.equal((await runAgentctl([...addr, "destroy-sandbox"])).status, 0);
  t.match(await guest.exited, { code: 0, signal: null });

  const { spans } = collector;
  const only = (name: string) => {
    const found = spans.filter((span) => span.name === name);
    t.equal(found.length, 1, `one ${name}`);
    return found[0] as OtlpSpan;
  };
  const root = only("sandbox");
  const inOrder = [
    "kernel",
    "node start",
    "base mounts",
    "options",
    "kernel modules",
    "control groups",
    "listen",
  ];
  const steps = [...inOrder, "first call"].map(only);
  t.equal(startOf(steps[0] as OtlpSpan), startOf(root), "the trace begins with the kernel");
  for (const [index, step] of steps.entries()) {
    t.equal(step.parentSpanId, root.spanId, step.name);
    const next = steps[index + 1];
    if (next !== undefined) t.ok(endOf(step) <= startOf(next), `${step.name} ends before ${next.name}`);
  }
  const kernel = steps[0] as OtlpSpan;
  t.ok(endOf(kernel) - startOf(kernel) > 100_000_000n, "an emulated kernel takes its time");
  const modules = spans.filter(({ name }) => name === "kernel module");
  t.ok(modules.some((span) => attributesOf(span)["kata.module.name"] === "vmw_vsock_virtio_transport"));
  for (const { parentSpanId } of modules) t.equal(parentSpanId, only("kernel modules").spanId);

  const shutdown = only("shutdown");
  t.equal(shutdown.parentSpanId, root.spanId);
  t.equal(only("end sandbox").parentSpanId, shutdown.spanId);
});

t.test("the doctor follows a span out of a guest over VSOCK", { skip }, async (t) => {
  await using guest = await bootGuest({ append });
  const folder = temporaryFolder(t);
  const admin = `unix://${folder}/admin.sock`;
  const listen = ["--listen", `unix://${guest.listenPath(tracePort)}`];
  await runForwarder(t, ...listen, "--admin", admin, "--file", join(folder, "spans.jsonl"));
  await guest.listening();
  writeFileSync(join(folder, "cmdline"), append);
  const ended = await runAgentctl([
    "--addr",
    guest.address(1024),
    "doctor",
    "--cmdline",
    join(folder, "cmdline"),
    "--forwarder",
    admin,
  ]);
  t.equal(ended.status, 0, ended.stdout + ended.stderr);
  t.match(ended.stdout, /^ok +vsock +\d+ spans were acknowledged at vsock:\/\/2:10240$/m);
  t.match(ended.stdout, /^ok +backend/m);
});
