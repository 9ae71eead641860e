import type { Test } from "tap";
import { freePort } from "../../../scripts/loopback.ts";
import { parseOtlpLine } from "../../../src/view/otlp-json.ts";
import type { SpanRecord } from "../../../src/view/span-record.ts";
import { backendPath, eventually, skipWithout, startProgram } from "./backend.ts";

/** Why Jaeger's tests are skipped, or false. */
export const jaegerSkip = skipWithout("Jaeger (got by `make test JAEGER=1`)", "jaeger");

/** A Jaeger with storage in memory. */
export type Jaeger = {
  /** For OTLP over gRPC. */
  readonly grpcUrl: string;
  /** The spans of a trace once there are so many. */
  trace(traceId: string, count: number): Promise<readonly SpanRecord[]>;
  kill(): Promise<void>;
};

export async function startJaeger(t: Test): Promise<Jaeger> {
  const [grpc, query, queryGrpc] = [await freePort(), await freePort(), await freePort()];
  const url = `http://127.0.0.1:${query}`;
  const config = {
    receivers: { otlp: { protocols: { grpc: { endpoint: `127.0.0.1:${grpc}` } } } },
    exporters: { jaeger_storage_exporter: { trace_storage: "mem" } },
    extensions: {
      jaeger_storage: { backends: { mem: { memory: { max_traces: 1000 } } } },
      jaeger_query: {
        storage: { traces: "mem" },
        http: { endpoint: `127.0.0.1:${query}` },
        grpc: { endpoint: `127.0.0.1:${queryGrpc}` },
      },
    },
    service: {
      extensions: ["jaeger_storage", "jaeger_query"],
      pipelines: { traces: { receivers: ["otlp"], exporters: ["jaeger_storage_exporter"] } },
      telemetry: { metrics: { level: "none" }, logs: { level: "warn" } },
    },
  };
  const args = ["--config", `yaml:${JSON.stringify(config)}`];
  // It traces itself otherwise.
  const env = { OTEL_TRACES_SAMPLER: "always_off" };
  const isReady = async () => (await fetch(`${url}/api/services`)).ok;
  const { kill } = await startProgram(t, backendPath("jaeger"), args, isReady, env);
  return {
    grpcUrl: `http://127.0.0.1:${grpc}`,
    kill,
    trace: (traceId, count) =>
      eventually(`trace ${traceId} in Jaeger`, async () => {
        const answer = await fetch(`${url}/api/v3/traces/${traceId}`);
        if (!answer.ok) return undefined;
        const { result } = (await answer.json()) as { result: unknown };
        const { spans } = parseOtlpLine(JSON.stringify(result));
        return spans.length >= count ? spans : undefined;
      }),
  };
}
