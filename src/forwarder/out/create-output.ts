import type { Log } from "../../base/log.ts";
import type { BackendConfig, QueueConfig } from "../backend-config.ts";
import type { Metrics } from "../metrics.ts";
import { DatadogSender } from "./datadog-sender.ts";
import { type AppendText, LinesOutput } from "./lines-output.ts";
import { MemoryQueue } from "./memory-queue.ts";
import { createOtlpGrpcSender } from "./otlp-grpc-sender.ts";
import { OtlpHttpSender } from "./otlp-http-sender.ts";
import { jsonFromProtobuf } from "./otlp-json.ts";
import type { Output } from "./output.ts";
import { createPost } from "./post.ts";
import type { Sender } from "./posted.ts";
import type { Queue } from "./queue.ts";
import { QueuedOutput } from "./queued-output.ts";
import { RotatingFile } from "./rotating-file.ts";
import { Spool } from "./spool.ts";
import { treeText } from "./tree-text.ts";
import { ZipkinSender } from "./zipkin-sender.ts";

/**
 * Opens one backend. `print` appends to stdout.
 * @throws the system error when a file or spool cannot be opened.
 */
export async function createOutput(
  config: BackendConfig,
  print: AppendText,
  metrics: Metrics,
  log: Log,
): Promise<Output> {
  if (config.kind === "stdout") {
    const textOf = config.format === "tree" ? treeText : jsonFromProtobuf;
    return new LinesOutput(config.name, textOf, print, metrics);
  }
  if (config.kind === "file") {
    const file = await RotatingFile.open(config.path, config.maxBytes, config.keep);
    return new LinesOutput(config.name, jsonFromProtobuf, file.append, metrics, () => file.close());
  }
  const queue = await createQueue(config.name, config.queue, metrics, log);
  return new QueuedOutput(config.name, queue, await createSender(config), metrics, log);
}

async function createQueue(
  name: string,
  { spool, maxBytes, isSynced }: QueueConfig,
  metrics: Metrics,
  log: Log,
): Promise<Queue> {
  if (spool === undefined) return new MemoryQueue(maxBytes);
  const queue = await Spool.open(spool, maxBytes, isSynced);
  if (queue.corrupt > 0) {
    metrics.dropped(name, "corrupt", queue.corrupt);
    log.warn({ output: name, segments: queue.corrupt }, "the rest of spoilt segments is lost");
  }
  if (queue.spans > 0) log.info({ output: name, spans: queue.spans }, "spans waited on the disk");
  return queue;
}

async function createSender(config: Exclude<BackendConfig, { kind: "file" | "stdout" }>): Promise<Sender> {
  if (config.kind === "otlp-grpc") return createOtlpGrpcSender(config.endpoint);
  const post = createPost(config.endpoint);
  if (config.kind === "zipkin") return new ZipkinSender(post);
  return config.kind === "datadog" ? new DatadogSender(post) : new OtlpHttpSender(post);
}
