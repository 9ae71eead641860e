import type { Call } from "../rpc/call.ts";
import type { Annotations } from "./call-facts.ts";

/** The annotations that a CreateContainer brings along; undefined for every other call. */
export function annotationsOfCreate({ method, request }: Call): Annotations | undefined {
  if (method.name !== "CreateContainer") return undefined;
  const { OCI } = request as { OCI?: { Annotations?: ReadonlyMap<string, string> } };
  const annotations = OCI?.Annotations;
  return annotations instanceof Map ? (key) => annotations.get(key) : undefined;
}
