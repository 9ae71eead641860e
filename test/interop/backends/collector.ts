import type { Test } from "tap";
import { accepts, freePort } from "../../../scripts/loopback.ts";
import { backendPath, type ServingProgram, skipWithout, startProgram } from "./backend.ts";

/** Why tests with the OpenTelemetry Collector are skipped, or false. */
export const collectorSkip = skipWithout("the OpenTelemetry Collector", "collector");
/** The same of otel-cli. */
export const otelCliSkip = skipWithout("otel-cli", "otel-cli");

/** An OpenTelemetry Collector that passes on what it gets. */
export type Collector = {
  readonly grpcUrl: string;
  readonly httpUrl: string;
} & Pick<ServingProgram, "child" | "kill">;

/** `exportTo`: base URL of an OTLP/HTTP receiver, or an OTLP/gRPC one (`grpc://host:port`). */
export async function startCollector(t: Test, exportTo: string): Promise<Collector> {
  const [grpc, http] = [await freePort(), await freePort()];
  const toGrpc = exportTo.startsWith("grpc://");
  const exporter = toGrpc ? "otlp" : "otlphttp";
  const config = {
    receivers: {
      otlp: {
        protocols: { grpc: { endpoint: `127.0.0.1:${grpc}` }, http: { endpoint: `127.0.0.1:${http}` } },
      },
    },
    processors: { batch: { timeout: "100ms" } },
    exporters: {
      [exporter]: toGrpc
        ? { endpoint: exportTo.slice("grpc://".length), tls: { insecure: true }, compression: "none" }
        : { endpoint: exportTo },
    },
    service: {
      pipelines: { traces: { receivers: ["otlp"], processors: ["batch"], exporters: [exporter] } },
      telemetry: { metrics: { level: "none" }, logs: { level: "warn" } },
    },
  };
  const args = ["--config", `yaml:${JSON.stringify(config)}`];
  const isReady = async () => (await accepts(grpc)) && (await accepts(http));
  const { child, kill } = await startProgram(t, backendPath("collector"), args, isReady);
  return { child, kill, grpcUrl: `http://127.0.0.1:${grpc}`, httpUrl: `http://127.0.0.1:${http}` };
}
