/** What {@link podTrace} makes. */
export type PodTrace = {
  /** 1 … 15, becomes the ids. */
  readonly number: number;
  /** Calls of Check beside the creation of the container. */
  readonly checks: number;
  readonly failed?: boolean;
  /** How much longer `crun create` takes than 600 ms. */
  readonly slowerMs?: number;
};

type Given = { name: string; service: string; parent?: string; fromMs: number; toMs: number };

/** A trace as a runtime and an agent make it together, as an OTLP JSON request: StartVM → CreateContainer → crun create. */
export function podTrace({ number, checks, failed = false, slowerMs = 0 }: PodTrace): {
  resourceSpans: object[];
} {
  const traceId = podTraceId(number);
  const startNs = 1_790_000_000_000_000_000n + BigInt(number) * 60_000_000_000n;
  const spans = new Map<string, object[]>([
    ["kata", []],
    ["kata-agent", []],
  ]);
  let count = 0;
  const add = ({ name, service, parent, fromMs, toMs }: Given, more: object = {}): string => {
    count += 1;
    const spanId = (number * 0x10_0000 + count).toString(16).padStart(16, "0");
    const time = (ms: number) => String(startNs + BigInt(ms) * 1_000_000n);
    spans.get(service)?.push({
      ...{ traceId, spanId, parentSpanId: parent ?? "", name, kind: 2 },
      ...{ startTimeUnixNano: time(fromMs), endTimeUnixNano: time(toMs), ...more },
    });
    return spanId;
  };
  const root = add({ name: "StartVM", service: "kata", fromMs: 0, toMs: 4000 });
  const create = add(
    {
      ...{ name: "grpc.AgentService/CreateContainer", service: "kata-agent", parent: root },
      ...{ fromMs: 100, toMs: 1500 },
    },
    {
      attributes: attributes({
        "rpc.method": "grpc.AgentService/CreateContainer",
        "container.id": `web-${number}`,
        "kata.sandbox.id": `sandbox-${number}`,
        "k8s.pod.name": `pod-${number}`,
        "k8s.namespace.name": "shop",
      }),
      ...(failed && { status: { code: 2, message: "INTERNAL" } }),
    },
  );
  add(
    { name: "crun create", service: "kata-agent", parent: create, fromMs: 300, toMs: 900 + slowerMs },
    { attributes: attributes({ "kata.crun.command": "create" }) },
  );
  for (let index = 0; index < checks; index++) {
    const fromMs = 1500 + (index % 2000);
    add({ name: "grpc.Health/Check", service: "kata-agent", parent: root, fromMs, toMs: fromMs + 1 });
  }
  return {
    resourceSpans: [...spans].map(([service, list]) => ({
      resource: { attributes: attributes({ "service.name": service }) },
      scopeSpans: [{ spans: list }],
    })),
  };
}

/** The trace id of a {@link podTrace}. */
export function podTraceId(number: number): string {
  return number.toString(16).repeat(32);
}

function attributes(values: Readonly<Record<string, string>>): object[] {
  return Object.entries(values).map(([key, stringValue]) => ({ key, value: { stringValue } }));
}
