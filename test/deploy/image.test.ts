// The container images, run as a kubelet has them run.
import { chownSync, existsSync, mkdirSync, readFileSync, renameSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Test, test } from "tap";
import { type Image, writeImage } from "../../scripts/cluster/oci-image.ts";
import { exportOf, post, temporaryFolder } from "../forwarder/running.ts";
import { eventually } from "../interop/backends/backend.ts";
import { archiveOf, type Container, runContainer, skipWithoutImage, unpack } from "./container.ts";

const forwarder = "kata-agent-node";
const guest = "kata-agent-node-guest";
const someUser = 4711;

const config = `
watch = true
admin = "unix:///run/kata/admin.sock"
[[backend]]
type = "file"
path = "/var/spool/kata-trace/spans.jsonl"
`;

type Node = { readonly container: Container; readonly place: (path: string) => string };

/** A forwarder on a node that is a folder. */
async function startNode(t: Test, capabilities: readonly string[]): Promise<Node> {
  const folder = temporaryFolder(t);
  const place = (path: string) => join(folder, "node", path);
  const inside = [
    "/etc/kata-trace",
    "/run/kata",
    "/run/vc/vm",
    "/run/vc/firecracker",
    "/var/spool/kata-trace",
  ];
  for (const path of inside) mkdirSync(place(path), { recursive: true });
  writeFileSync(place("/etc/kata-trace/forwarder.toml"), config);
  const container = runContainer(t, unpack(archiveOf(forwarder), folder), {
    args: ["--config", "/etc/kata-trace/forwarder.toml"],
    capabilities,
    mounts: Object.fromEntries(inside.map((path) => [path, place(path)])),
  });
  await eventually("health", async () => {
    const { status } = await get(place("/run/kata/admin.sock"), "/healthz").catch(() => ({ status: 0 }));
    return status === 200 ? true : undefined;
  });
  return { container, place };
}

function get(socket: string, path: string) {
  return post(socket, "", {}, path, "GET");
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
  skip: skipWithoutImage(forwarder),
}, async (t) => {
  const { container, place } = await startNode(t, []);
  const socket = addSandbox(place, "one");
  await there(socket);
  t.equal((await post(socket, exportOf("from a guest"))).status, 200);
  const spans = place("/var/spool/kata-trace/spans.jsonl");
  await eventually(
    "the span",
    async () => (existsSync(spans) && readFileSync(spans, "utf8").includes("from a guest")) || undefined,
  );
  t.equal((await get(place("/run/kata/admin.sock"), "/readyz")).status, 200);

  const foreign = addSandbox(place, "two", someUser);
  await eventually(
    "a refusal",
    async () => container.stderr().includes("cannot listen for a sandbox") || undefined,
  );
  t.notOk(existsSync(foreign), "the folder of a VMM without privileges needs what rootlessVmm adds");
  t.equal(await container.stop(), 0);
});

test("with CHOWN and DAC_OVERRIDE it serves VMMs without privileges", {
  skip: skipWithoutImage(forwarder),
}, async (t) => {
  const { place, container } = await startNode(t, ["CAP_CHOWN", "CAP_DAC_OVERRIDE"]);
  const socket = addSandbox(place, "two", someUser);
  await eventually(
    "the socket",
    async () => (existsSync(socket) && statSync(socket).uid === someUser) || undefined,
  );
  t.equal((await post(socket, exportOf("from a guest"))).status, 200);
  t.equal(await container.stop(), 0);
});

test("the guest's image puts the guest onto the node", { skip: skipWithoutImage(guest) }, async (t) => {
  const folder = temporaryFolder(t);
  const place = join(folder, "node");
  mkdirSync(place);
  const bundle = unpack(archiveOf(guest), folder);
  const mounts = { "/opt/kata-agent-node/guest": place };
  const { ended, stderr } = runContainer(t, bundle, { args: Object.keys(mounts), capabilities: [], mounts });
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
