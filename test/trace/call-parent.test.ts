import t from "tap";
import { AgentServiceMethods, type MethodDescriptor } from "../../src/gen/methods.ts";
import type { Metadata } from "../../src/rpc/call.ts";
import { span } from "../../src/trace/span.ts";
import type { TracingOptions } from "../../src/trace/tracing.ts";
import { attributesOf, decodeRequest } from "../fakes/collector.ts";
import { callOf, traced } from "./traced.ts";

const context = (digit: string, flags = "01") => ({
  text: `00-${digit.repeat(32)}-${digit.repeat(16)}-${flags}`,
  ids: { traceId: digit.repeat(32), spanId: digit.repeat(16) },
});
const [one, two, three] = [context("1"), context("2"), context("3")] as const;
const linkKeys = ["tracing.k8s.io/traceparent", "tekton.dev/taskrunSpanContext"];
const method = AgentServiceMethods.CreateContainer as MethodDescriptor;

/** The span of a CreateContainer with these annotations, and that of a step within. */
async function created(
  t: Parameters<typeof traced>[0],
  annotations: Record<string, string>,
  options: Partial<TracingOptions>,
  metadata: Metadata = [],
) {
  const { tracing, finish, collector } = await traced(t, { linkKeys, ...options });
  const request = { container_id: "c1", OCI: { Annotations: new Map(Object.entries(annotations)) } };
  const handle = tracing.interceptor(() => span("inner", {}, async () => ({})));
  await handle(callOf(request, metadata, { method }));
  const { named } = await finish();
  const resource = attributesOf(
    decodeRequest(collector.bodies.at(-1) as Buffer).resourceSpans[0]?.resource ?? {},
  );
  return { call: named(method.path), inner: named("inner"), root: named("sandbox"), resource };
}

t.test("without metadata the container's own annotation is the caller: a parent in collated", async (t) => {
  const { call, inner } = await created(t, { traceparent: one.text }, { mode: "collated" });
  t.match(call, { traceId: one.ids.traceId, parentSpanId: one.ids.spanId });
  t.equal(inner.parentSpanId, call.spanId);
});

t.test("and a link in isolated", async (t) => {
  const { call, root } = await created(t, { traceparent: one.text }, { mode: "isolated" });
  t.equal(call.parentSpanId, root.spanId);
  t.match(call.links, [one.ids]);
});

t.test("metadata goes before the annotation", async (t) => {
  const metadata = [["traceparent", two.text]] as const;
  const { call } = await created(t, { traceparent: one.text }, { mode: "collated" }, metadata);
  t.equal(call.parentSpanId, two.ids.spanId);
});

t.test("annotations of Kubernetes and Tekton are links in both types", async (t) => {
  const annotations = {
    "tracing.k8s.io/traceparent": two.text,
    "tekton.dev/taskrunSpanContext": JSON.stringify({ traceparent: three.text }),
  };
  for (const mode of ["isolated", "collated"] as const) {
    const { call, root } = await created(t, annotations, { mode });
    t.equal(call.parentSpanId, root.spanId);
    t.match(call.links, [two.ids, three.ids]);
  }
});

t.test("annotations that hold no context change nothing", async (t) => {
  for (const bad of [
    "",
    "{",
    "{}",
    '{"traceparent":7}',
    "[]",
    "null",
    one.text.toUpperCase().replaceAll("1", "A"),
    "x".repeat(9999),
  ]) {
    const annotations = { traceparent: bad, "tracing.k8s.io/traceparent": bad };
    const { call, root } = await created(t, annotations, { mode: "collated" });
    t.equal(call.parentSpanId, root.spanId);
    t.notOk(call.links?.length, bad);
  }
});

t.test("which annotations are links can be changed", async (t) => {
  const annotations = { "tracing.k8s.io/traceparent": two.text, "my.org/parent": one.text };
  const { call } = await created(t, annotations, { mode: "isolated", linkKeys: ["my.org/parent"] });
  t.match(call.links, [one.ids]);
  t.equal(call.links?.length, 1);
});

for (const [who, annotations] of [
  [
    "containerd",
    {
      "io.kubernetes.cri.sandbox-name": "web-0",
      "io.kubernetes.cri.sandbox-namespace": "shop",
      "io.kubernetes.cri.sandbox-uid": "0a1b2c3d-1111-2222-3333-444455556666",
      "io.kubernetes.cri.container-name": "nginx",
    },
  ],
  [
    "CRI-O",
    {
      "io.kubernetes.pod.name": "web-0",
      "io.kubernetes.pod.namespace": "shop",
      "io.kubernetes.pod.uid": "0a1b2c3d-1111-2222-3333-444455556666",
      "io.kubernetes.container.name": "nginx",
    },
  ],
] as const)
  t.test(`pod and container are told as ${who} names them`, async (t) => {
    const { call, inner, resource } = await created(t, annotations, {});
    for (const each of [call, inner])
      t.match(attributesOf(each), { "container.id": "c1", "k8s.container.name": "nginx" });
    t.match(resource, {
      "k8s.pod.name": "web-0",
      "k8s.namespace.name": "shop",
      "k8s.pod.uid": "0a1b2c3d-1111-2222-3333-444455556666",
    });
  });

t.test("what has not the form of a Kubernetes name stays out", async (t) => {
  const annotations = {
    "io.kubernetes.cri.sandbox-name": "SECRET one",
    "io.kubernetes.cri.container-name": "SECRET",
  };
  const { call, resource } = await created(t, annotations, {});
  t.notMatch(JSON.stringify([call, resource]), /SECRET/);
});

t.test("later calls for a container find its name by what was kept of it", async (t) => {
  const kept = { "io.kubernetes.cri.container-name": "nginx", "io.kubernetes.cri.sandbox-name": "web-0" };
  const { tracing, finish } = await traced(t, { annotationsOf: (id) => (id === "c1" ? kept : undefined) });
  await tracing.interceptor(async () => ({}))(callOf({ container_id: "c1" }));
  const { named } = await finish();
  t.match(attributesOf(named("grpc.Health/Check")), { "k8s.container.name": "nginx" });
});
