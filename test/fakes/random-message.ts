import type { Field, MessageType } from "../../src/gen/message-type.ts";
import type { Random } from "./random.ts";

const strings = ["", "a", "c1", "é", "日本語 🚀", "x".repeat(127), "x".repeat(128), "é".repeat(100)];
const numbers = [0, 1, 127, 128, 300, 65_535, 2 ** 31 - 1];
const bigints = [0n, 1n, 127n, 128n, 2n ** 32n, 2n ** 53n, 2n ** 63n - 1n];

/** A message with random values in random fields, some of them at the edges of their types. */
export function randomMessage(type: MessageType, random: Random, depth = 0): Record<string, unknown> {
  const message = type.create() as Record<string, unknown>;
  for (const field of type.fields) {
    if (random.below(3) > 0) message[field[1]] = randomField(field, random, depth);
  }
  return message;
}

function randomField(field: Field, random: Random, depth: number): unknown {
  const count = random.below(4);
  if (field[3] === "repeated")
    return Array.from({ length: depth > 4 ? 0 : count }, () => value(field, random, depth));
  if (field[3] === "map") {
    const entries = Array.from(
      { length: count },
      (_, i) => [`key ${i}`, value(field, random, depth)] as const,
    );
    return new Map(entries);
  }
  if (field[2] === "message" && depth > 4) return undefined;
  return value(field, random, depth);
}

function value([, , kind, , type]: Field, random: Random, depth: number): unknown {
  switch (kind) {
    case "string":
      return random.pick(strings);
    case "bytes":
      return random.bytes(random.pick([0, 1, 200, 5000]));
    case "bool":
      return random.below(2) === 1;
    case "message":
      return randomMessage((type as () => MessageType)(), random, depth + 1);
    case "int64":
      return random.pick([...bigints, -1n, -(2n ** 63n)]);
    case "uint64":
    case "fixed64":
      return random.pick([...bigints, 2n ** 64n - 1n]);
    case "uint32":
    case "fixed32":
      return random.pick([...numbers, 2 ** 32 - 1]);
    case "double":
      return random.pick([0, 1.5, -1e300, 2 ** -1074]);
    default:
      return random.pick([...numbers, -1, -(2 ** 31)]);
  }
}
