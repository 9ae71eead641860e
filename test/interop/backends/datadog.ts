import { spawnSync } from "node:child_process";
import type { Test } from "tap";
import { freePort } from "../../../scripts/loopback.ts";
import { backendPath, eventually, skipWithout, startProgram } from "./backend.ts";

/** Integers that a double does not hold are bigints. */
type Integer = number | bigint;

/** A span as the Datadog agent knows it. */
export type DatadogSpan = {
  readonly trace_id: Integer;
  readonly span_id: Integer;
  readonly parent_id?: Integer;
  readonly service: string;
  readonly name: string;
  readonly resource: string;
  readonly start: Integer;
  readonly duration: Integer;
  readonly error: number;
  readonly meta: Readonly<Record<string, string>>;
  readonly metrics: Readonly<Record<string, number>>;
};

/** Why the tests with the test agent are skipped, or false. */
export const datadogSkip = skipWithout("the Datadog test agent", "datadog");
/** The same of the strict decoder. */
export const judgeSkip = skipWithout("the Datadog Agent's decoder", "datadog-judge");

/** Datadog's test agent: its traces port, and an OTLP port. */
export type DatadogAgent = {
  readonly url: string;
  readonly otlpUrl: string;
  /** All spans received on the traces port once there are so many. */
  spans(count: number): Promise<readonly DatadogSpan[]>;
  kill(): Promise<void>;
};

/** Starts one for the length of the test `t`. */
export async function startDatadogAgent(t: Test): Promise<DatadogAgent> {
  const [port, http, grpc] = [await freePort(), await freePort(), await freePort()];
  const url = `http://127.0.0.1:${port}`;
  const args = ["-p", String(port), "--otlp-http-port", String(http), "--otlp-grpc-port", String(grpc)];
  const env = { ENABLED_CHECKS: "trace_count_header,meta_tracer_version_header,trace_content_length" };
  const isReady = async () => (await fetch(`${url}/info`)).ok;
  const { kill } = await startProgram(t, backendPath("datadog/bin/ddapm-test-agent"), args, isReady, env);
  return {
    url,
    otlpUrl: `http://127.0.0.1:${http}`,
    kill,
    spans: (count) =>
      eventually("spans in the Datadog agent", async () => {
        const traces = exactly(await (await fetch(`${url}/test/traces`)).text());
        return traces.flat().length >= count ? traces.flat() : undefined;
      }),
  };
}

/** What the Datadog Agent's own decoder makes of a v0.4 payload. @throws Error with its complaint. */
export function judgeTraces(payload: Uint8Array): DatadogSpan[][] {
  const { status, stdout, stderr } = spawnSync(backendPath("datadog-judge"), {
    input: payload,
    encoding: "utf8",
  });
  if (status !== 0) throw new Error(`the Datadog Agent would refuse it: ${stderr}`);
  return exactly(stdout);
}

function exactly(json: string): DatadogSpan[][] {
  return JSON.parse(json, (_key, value, context?: { source?: string }) =>
    Number.isInteger(value) && !Number.isSafeInteger(value) ? BigInt(context?.source ?? 0) : value,
  );
}
