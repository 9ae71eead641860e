import type { Test } from "tap";
import { freePort } from "../../../scripts/loopback.ts";
import { backendPath, eventually, skipWithout, startProgram } from "./backend.ts";

const jar = ["zipkin", "zipkin-server-3.6.1-slim.jar"] as const;

/** A span as Zipkin gives it back: names in lower case, times in microseconds, numbers in tags as text. */
export type ZipkinSpan = {
  readonly traceId: string;
  readonly id: string;
  readonly parentId?: string;
  readonly kind?: string;
  readonly name?: string;
  readonly timestamp: number;
  readonly duration?: number;
  readonly localEndpoint?: { readonly serviceName?: string };
  readonly annotations?: readonly { readonly timestamp: number; readonly value: string }[];
  readonly tags?: Readonly<Record<string, string>>;
};

/** Why Zipkin's tests are skipped, or false. */
export const zipkinSkip = skipWithout("Zipkin", ...jar);

/** A Zipkin with storage in memory. */
export type Zipkin = {
  readonly url: string;
  /** The spans of a trace once there are so many. */
  trace(traceId: string, count: number): Promise<readonly ZipkinSpan[]>;
  kill(): Promise<void>;
};

/** Starts one for the length of the test `t`. */
export async function startZipkin(t: Test): Promise<Zipkin> {
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const isReady = async () => (await fetch(`${url}/health`)).ok;
  const env = { QUERY_PORT: String(port), MEM_MAX_SPANS: "500000" };
  const { kill } = await startProgram(t, "java", ["-Xmx256m", "-jar", backendPath(...jar)], isReady, env);
  return {
    url,
    kill,
    trace: (traceId, count) =>
      eventually(`trace ${traceId} in Zipkin`, async () => {
        const answer = await fetch(`${url}/api/v2/trace/${traceId}`);
        const spans = answer.ok ? ((await answer.json()) as ZipkinSpan[]) : [];
        return spans.length >= count ? spans : undefined;
      }),
  };
}
