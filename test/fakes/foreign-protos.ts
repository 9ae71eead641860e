import { join } from "node:path";
import protobuf from "protobufjs";

/** The same proto files as an independent implementation reads them. */
export function foreignProtos(): protobuf.Root {
  const root = new protobuf.Root();
  const folder = join(import.meta.dirname, "../../protos");
  root.resolvePath = (_origin, path) => (path in protobuf.common ? path : join(folder, path));
  root.loadSync(
    [
      "grpc/agent.proto",
      "grpc/health.proto",
      "kata/trace.proto",
      "ttrpc/ttrpc.proto",
      "opentelemetry/proto/collector/trace/v1/trace_service.proto",
    ],
    { keepCase: true },
  );
  root.resolveAll();
  return root;
}
