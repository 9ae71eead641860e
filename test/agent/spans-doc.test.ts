/**
 * docs/spans.md against what the agent really does: a pod is played, and every span found in its traces has to stand in the
 * table with its parent and its attributes, and every row that is not said to need something else has to be found.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Test, test } from "tap";
import { attributeTable } from "../../src/trace/attributes.ts";
import { attributesOf, Collector, type OtlpSpan } from "../fakes/collector.ts";
import { specOf } from "../fakes/container-spec.ts";
import { eventually, needsRoot, type RealAgent, refusal, startAgent } from "../fakes/real-agent.ts";

const page = readFileSync(join(import.meta.dirname, "../../docs/spans.md"), "utf8");

/** Rows of the table behind a heading, as the texts of their cells. */
function tableBelow(heading: string): string[][] {
  const [, rest = ""] = page.split(`\n## ${heading}\n`);
  const [section = ""] = rest.split("\n## ");
  const lines = section.split("\n").filter((line) => line.startsWith("| "));
  const rows = lines.slice(1).map((line) => line.slice(1, -1).split("|"));
  return rows.map((cells) => cells.map((cell) => cell.trim()));
}

const quoted = (text: string) => [...text.matchAll(/`([^`]+)`/g)].map(([, word = ""]) => word);

/** What any span may carry: it is told of in the page's text. */
const everywhere = new Set(["kata.sandbox.id", "container.id", "k8s.container.name", "error.type"]);

type Row = { parents: string[]; attributes: string[]; sometimes: string[]; elsewhere: boolean };

function documented(): Map<string, Row> {
  const rows = tableBelow("Spans").map(
    ([names = "", parents = "", attributes = "", sometimes = "", when = ""]) =>
      quoted(names).map((name): [string, Row] => [
        name,
        {
          parents: quoted(parents),
          attributes: quoted(attributes),
          sometimes: quoted(sometimes),
          elsewhere: when !== "",
        },
      ]),
  );
  return new Map(rows.flat());
}

const serverKind = 2;
const nameInTable = ({ kind, name }: OtlpSpan) => (kind === serverKind ? "SERVICE/METHOD" : name);

test("every span that a pod leaves is in docs/spans.md, and the other way round", needsRoot, async (t) => {
  const spans = await playPod(t);
  const byId = new Map(spans.map((span) => [span.spanId, span]));
  const table = documented();
  const seen = new Map<string, { parents: Set<string>; attributes: Set<string> }>();
  for (const span of spans) {
    const name = nameInTable(span);
    const parent = byId.get(span.parentSpanId ?? "");
    const known = seen.get(name) ?? { parents: new Set(), attributes: new Set() };
    seen.set(name, known);
    known.parents.add(parent === undefined ? "none" : parentOf(parent));
    for (const key of Object.keys(attributesOf(span))) if (!everywhere.has(key)) known.attributes.add(key);
  }
  for (const [name, { parents, attributes }] of seen) {
    const row = table.get(name);
    if (!t.ok(row, `${name} is in the table`, { found: [...parents], attributes: [...attributes] })) continue;
    for (const parent of parents) t.ok(row?.parents.includes(parent), `${name} may be below ${parent}`);
    const allowed = [...(row?.attributes ?? []), ...(row?.sometimes ?? [])];
    for (const key of attributes) t.ok(allowed.includes(key), `${name} may have ${key}`);
  }
  for (const [name, { parents, attributes, elsewhere }] of table) {
    if (elsewhere) continue;
    const found = seen.get(name);
    if (!t.ok(found, `${name} of the table is there`)) continue;
    for (const parent of parents) t.ok(found?.parents.has(parent), `${name} was below ${parent}`);
    for (const key of attributes) t.ok(found?.attributes.has(key), `${name} had ${key}`);
  }
});

/** Calls stand in the table by their short name as parents. */
const parentOf = ({ kind, name }: OtlpSpan) =>
  kind === serverKind ? name.slice(name.indexOf("/") + 1) : name;

test("the table of attributes is that of the program", async (t) => {
  const rows = tableBelow("Attributes").map((cells) => cells.join(" | "));
  t.same(
    rows,
    Object.entries(attributeTable).map(([key, [type, meaning]]) => `\`${key}\` | ${type} | ${meaning}`),
  );
});

async function playPod(t: Test): Promise<OtlpSpan[]> {
  const folder = mkdtempSync(join(tmpdir(), "spans-doc-"));
  t.teardown(() => rmSync(folder, { recursive: true }));
  const collector = new Collector();
  await collector.listen(join(folder, "t.sock"));
  t.teardown(() => collector.close());
  await using agent = await startAgent({
    env: { KATA_AGENT_TRACING: "isolated", KATA_AGENT_TRACE_ADDR: `unix://${folder}/t.sock` },
  });
  const { calls } = agent;
  await calls.CreateSandbox({
    sandbox_id: "written-down",
    hostname: "pod",
    storages: [{ driver: "ephemeral", fstype: "tmpfs", source: "tmpfs", mount_point: "/run/kata-mount" }],
  });
  await calls.CopyFile({
    path: "/run/kata-containers/shared/containers/file",
    file_mode: 0o100600,
    file_size: 1n,
    data: Buffer.from("x"),
  });
  await calls.ListInterfaces({});
  await calls
    .UpdateInterface({
      interface: { name: "lo", device: "lo", mtu: 65536n, hwAddr: "00:00:00:00:00:00" },
    })
    .catch(() => undefined);
  const id = await hooked(agent);
  const stats = await refusal(calls.StatsContainer({ container_id: id }));
  t.equal(stats.code, 0);
  await agent.exec(id, "killed", { args: ["sh", "-c", "echo up; sleep 1000"] });
  await agent.readText(id, 3, "killed");
  const wait = calls.WaitProcess({ container_id: id, exec_id: "killed" });
  await calls.SignalProcess({ container_id: id, exec_id: "killed", signal: 9 });
  await wait;
  await refusal(agent.exec(id, "missing", { args: ["no-such-program"] }));
  await calls.WriteStdin({ container_id: id, data: Buffer.from("hello") });
  await agent.readText(id, 5);
  await calls.CloseStdin({ container_id: id });
  await calls.WaitProcess({ container_id: id });
  await calls.UpdateContainer({ container_id: id, resources: {} });
  await calls.RemoveContainer({ container_id: id });
  await calls.DestroySandbox({});
  await agent.ended;
  t.ok(await eventually(() => collector.spans.some(({ name }) => name === "sandbox")));
  return collector.spans;
}

/** A container with a storage, devices and a hook for every stage that we run. */
async function hooked(agent: RealAgent): Promise<string> {
  const container_id = agent.id("documented");
  const hook = (says: string) => ({
    Path: "/bin/sh",
    Args: ["sh", "-c", `echo ${says} >&2; case ${says} in bad) exit 3;; dead) kill -9 $$;; esac`],
    Env: ["PATH=/bin"],
  });
  const Hooks = {
    Prestart: [hook("good")],
    StartContainer: [hook("bad")],
    Poststart: [hook("dead")],
    Poststop: [hook("good")],
  };
  writeFileSync(join(agent.root, "note"), "");
  await agent.calls.CreateContainer({
    container_id,
    storages: [
      {
        driver: "local",
        source: "local",
        fstype: "local",
        mount_point: join(agent.folder, "volume"),
        options: ["mode=0777"],
      },
    ],
    OCI: { ...specOf(agent.root, { args: ["cat"] }), Hooks },
  });
  await agent.calls.StartContainer({ container_id });
  return container_id;
}
