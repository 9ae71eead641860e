import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Test } from "tap";
import type { Log, LogFields } from "../../src/base/log.ts";
import { HealthMethods, type MethodDescriptor } from "../../src/gen/methods.ts";
import type { Call, Metadata } from "../../src/rpc/call.ts";
import { startTracing, type Tracing, type TracingOptions } from "../../src/trace/tracing.ts";
import { dial } from "../../src/vsock/dial.ts";
import { Collector, type OtlpSpan } from "../fakes/collector.ts";

/** A path for a Unix socket that is gone after the test. */
export function socketPath(t: Test): string {
  const folder = mkdtempSync(join(tmpdir(), "kata-trace-"));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  return join(folder, "s");
}

/** A log that keeps its lines of `info` and above as `level: message {fields}`. */
export function keptLog(): { lines: string[]; log: Log } {
  const lines: string[] = [];
  const keep = (level: string) => (fields: LogFields, message: string) =>
    void lines.push(`${level}: ${message} ${JSON.stringify(fields)}`);
  const log: Log = {
    debug() {},
    info: keep("info"),
    warn: keep("warn"),
    error: keep("error"),
    child: () => log,
  };
  return { lines, log };
}

/** Real tracing that sends to `path` over a real socket; stopped after the test. */
export async function tracingTo(
  t: Test,
  path: string,
  options: Partial<TracingOptions> = {},
): Promise<{ tracing: Tracing; lines: string[] }> {
  const { lines, log } = keptLog();
  const tracing = await startTracing({
    mode: "isolated",
    connect: (timeoutMs) => dial({ kind: "unix", path }, { timeoutMs }),
    authority: "localhost",
    serviceVersion: "1.2.3",
    log,
    ...options,
  });
  t.teardown(() => tracing.shutdown(0));
  return { tracing, lines };
}

/** Tracing and a receiver that takes everything; `finish` ends both and gives the spans by name. */
export async function traced(t: Test, options: Partial<TracingOptions> = {}) {
  const path = socketPath(t);
  const collector = new Collector();
  await collector.listen(path);
  t.teardown(() => collector.close());
  const { tracing, lines } = await tracingTo(t, path, options);
  const finish = async () => {
    const report = await tracing.shutdown();
    return { report, spans: collector.spans, named: byName(collector.spans) };
  };
  return { tracing, collector, lines, finish };
}

/** Looks up the one span of a name; throws when there is none or more than one. */
export function byName(spans: readonly OtlpSpan[]): (name: string) => OtlpSpan {
  return (name) => {
    const found = spans.filter((span) => span.name === name);
    if (found.length !== 1) throw new Error(`${found.length} spans named ${name}`);
    return found[0] as OtlpSpan;
  };
}

/** A call as the dispatcher would make it. */
export function callOf(request: object = {}, metadata: Metadata = [], more: Partial<Call> = {}): Call {
  return {
    method: HealthMethods.Check as MethodDescriptor,
    request,
    metadata,
    protocol: "ttrpc",
    peer: "unix",
    receivedAtMs: performance.now(),
    signal: new AbortController().signal,
    ...more,
  };
}
