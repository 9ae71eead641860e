// The container images, run as a kubelet has containerd run the pods that the chart makes.
import { chownSync, existsSync, mkdirSync, readFileSync, renameSync, statSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { type Test, test } from "tap";
import { type Image, writeImage } from "../../scripts/cluster/oci-image.ts";
import { exportOf, post, temporaryFolder } from "../forwarder/running.ts";
import { eventually } from "../interop/backends/backend.ts";
import { archiveOf, type Container, runContainer, skipWithoutImage, unpack, type Way } from "./container.ts";
import { fromChart, type Manifest, manifestsOf } from "./manifests.ts";
import { type PodContainer, type PodSpec, probed, wayOf } from "./pod-container.ts";
import { skipWithoutTools } from "./tool.ts";

const forwarder = "kata-agent-node";
const guest = "kata-agent-node-guest";
const someUser = 4711;
const noTools = skipWithoutTools("chart-judge", "runtime-default");

/** Spans into the spool's folder, where the test reads them. */
const file = 'config.tables=[[backend]]\ntype = "file"\npath = "/var/spool/kata-trace/spans.jsonl"';
const toFile = ["--set=backend.url=", "--set-string", file];

/** What the chart makes of values, as far as a node has to do with it. */
async function podOf(...values: string[]): Promise<{ spec: PodSpec; config: Record<string, string> }> {
  const made = manifestsOf(await fromChart(...values));
  const { spec } = made.get("DaemonSet kata-trace") as unknown as { spec: { template: { spec: PodSpec } } };
  const { data } = made.get("ConfigMap kata-trace") as Manifest & { data: Record<string, string> };
  return { spec: spec.template.spec, config: data };
}

type Node = {
  readonly container: Container;
  readonly pod: PodContainer;
  readonly place: (path: string) => string;
};

/** A forwarder of the chart's on a node that is a folder. */
async function startNode(t: Test, ...values: string[]): Promise<Node> {
  const { spec, config } = await podOf(...toFile, ...values);
  const [pod] = spec.containers as [PodContainer];
  const folder = temporaryFolder(t);
  const place = (path: string) => join(folder, "node", path);
  const way = await wayOf(spec, pod, place);
  for (const { source } of way.mounts) mkdirSync(source, { recursive: true });
  for (const [name, text] of Object.entries(config)) writeFileSync(join(place("config"), name), text);
  const container = runContainer(t, unpack(archiveOf(forwarder), folder), way);
  const fails = container.ended.then((code) => {
    throw new Error(`ended with ${code}: ${container.stderr()}`);
  });
  fails.catch(() => {});
  const started = eventually(
    "health",
    async () => (await answers(container, pod, "startupProbe")) || undefined,
  );
  await Promise.race([started, fails]);
  return { container, pod, place };
}

async function answers(
  container: Container,
  pod: PodContainer,
  probe: Parameters<typeof probed>[1],
): Promise<boolean> {
  const asked = probed(pod, probe);
  if (asked === undefined) throw new Error(`no ${probe}`);
  return (await container.ask(asked.port, asked.path).catch(() => 0)) === 200;
}

/** A new sandbox's folder, and the socket that its guest connects to. */
function addSandbox(place: Node["place"], name: string, user = 0): string {
  const folder = place(`/run/vc/vm/${name}`);
  const made = place(`/${name}`);
  mkdirSync(made, { mode: 0o700 });
  chownSync(made, user, user);
  // It comes as it is: what is looked at while it changes hands would be another case.
  renameSync(made, folder);
  return join(folder, "clh.sock_10240");
}

const there = (path: string) => eventually(path, async () => existsSync(path) || undefined);

test("the forwarder's image serves sandboxes as a root without capabilities on a read-only root", {
  skip: noTools || skipWithoutImage(forwarder),
}, async (t) => {
  const { container, pod, place } = await startNode(t);
  const socket = addSandbox(place, "one");
  await there(socket);
  t.equal((await post(socket, exportOf("from a guest"))).status, 200);
  const spans = place("spool/spans.jsonl");
  await eventually(
    "the span",
    async () => (existsSync(spans) && readFileSync(spans, "utf8").includes("from a guest")) || undefined,
  );
  t.ok(await answers(container, pod, "livenessProbe"));
  t.ok(await answers(container, pod, "readinessProbe"));

  const foreign = addSandbox(place, "two", someUser);
  await eventually(
    "a refusal",
    async () => container.stderr().includes("cannot listen for a sandbox") || undefined,
  );
  t.notOk(existsSync(foreign), "the folder of a VMM without privileges needs what rootlessVmm adds");
  t.equal(await container.stop(), 0);
});

test("with what rootlessVmm adds it serves VMMs without privileges", {
  skip: noTools || skipWithoutImage(forwarder),
}, async (t) => {
  const { place, container } = await startNode(t, "--set=rootlessVmm=true");
  const socket = addSandbox(place, "two", someUser);
  await eventually(
    "the socket",
    async () => (existsSync(socket) && statSync(socket).uid === someUser) || undefined,
  );
  t.equal((await post(socket, exportOf("from a guest"))).status, 200);
  t.equal(await container.stop(), 0);
});

test("the guest's image puts the guest onto the node", {
  skip: noTools || skipWithoutImage(guest),
}, async (t) => {
  const { spec } = await podOf("--set=guest.enabled=true");
  const [pod] = spec.initContainers as [PodContainer];
  const folder = temporaryFolder(t);
  const way = await wayOf(spec, pod, (path) => join(folder, basename(path)));
  const [{ source: place }] = way.mounts as [Way["mounts"][number]];
  mkdirSync(place);
  const bundle = unpack(archiveOf(guest), join(folder, "unpacked"));
  const { ended, stderr } = runContainer(t, bundle, way);
  t.equal(await ended, 0, stderr());
  const file = "initrd.img";
  t.ok(readFileSync(join(place, file)).equals(readFileSync(join(bundle, "rootfs/guest", file))));
});

test("the same files make the same image, whenever they were written", async (t) => {
  const folder = temporaryFolder(t);
  const made = ["first", "second"].map((name) => {
    mkdirSync(join(folder, name));
    const source = join(folder, name, "source");
    writeFileSync(source, "text");
    const image: Image = {
      reference: "docker.io/library/test:1",
      architecture: "amd64",
      entries: [
        { kind: "file", path: "/usr/bin/program", mode: 0o755, source },
        { kind: "link", path: "/bin", mode: 0o777, target: "usr/bin" },
        { kind: "dir", path: "/tmp", mode: 0o1777 },
      ],
      entrypoint: ["/bin/program"],
      labels: {},
      epoch: 1_000_000_000,
    };
    const archive = join(folder, name, "archive.tar");
    writeImage(image, join(folder, name, "work"), archive);
    return readFileSync(archive);
  });
  t.ok(made[0]?.equals(made[1] as Buffer));
});
