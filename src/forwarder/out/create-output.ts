import type { Log } from "../../base/log.ts";
import type { BackendConfig } from "../backend-config.ts";
import type { Metrics } from "../metrics.ts";
import { type AppendText, LinesOutput } from "./lines-output.ts";
import { MemoryQueue } from "./memory-queue.ts";
import { createOtlpGrpcSender } from "./otlp-grpc-sender.ts";
import { OtlpHttpSender } from "./otlp-http-sender.ts";
import { jsonFromProtobuf } from "./otlp-json.ts";
import type { Output } from "./output.ts";
import { createPost } from "./post.ts";
import type { Sender } from "./posted.ts";
import { QueuedOutput } from "./queued-output.ts";
import { RotatingFile } from "./rotating-file.ts";

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
  if (config.kind === "stdout") return new LinesOutput(config.name, jsonFromProtobuf, print, metrics);
  if (config.kind === "file") {
    const file = await RotatingFile.open(config.path, config.maxBytes, config.keep);
    return new LinesOutput(config.name, jsonFromProtobuf, file.append, metrics, () => file.close());
  }
  const sender = await createSender(config);
  return new QueuedOutput(config.name, new MemoryQueue(config.queue.maxBytes), sender, metrics, log);
}

async function createSender(config: Exclude<BackendConfig, { kind: "file" | "stdout" }>): Promise<Sender> {
  if (config.kind === "otlp-grpc") return createOtlpGrpcSender(config.endpoint);
  return new OtlpHttpSender(createPost(config.endpoint));
}
