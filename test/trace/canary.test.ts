import t from "tap";
import { AgentError } from "../../src/base/agent-error.ts";
import { Code } from "../../src/base/code.ts";
import type { MessageType } from "../../src/gen/message-type.ts";
import { allMethods } from "../../src/gen/methods.ts";
import { callOf, traced } from "./traced.ts";

/** A text that no id could be, in every string and byte field of a message, at every depth. */
const canary = "CANARY secret/with spaces";

function poisoned(type: MessageType, depth = 0): object {
  const message = type.create() as Record<string, unknown>;
  for (const [, name, kind, rule, inner] of type.fields) {
    const value = poisonedValue(kind, inner, depth);
    if (value === undefined) continue;
    if (rule === "repeated") message[name] = [value];
    else if (rule === "map") message[name] = new Map([[canary, value]]);
    else message[name] = value;
  }
  return message;
}

function poisonedValue(kind: string, inner: (() => MessageType) | undefined, depth: number): unknown {
  if (kind === "string") return canary;
  if (kind === "bytes") return new TextEncoder().encode(canary);
  if (kind === "message" && inner !== undefined && depth < 6) return poisoned(inner(), depth + 1);
  return undefined;
}

const outcomes: [how: string, handler: (request: object) => Promise<object>][] = [
  ["succeed", async () => ({})],
  [
    "fail with a chained error that quotes the request",
    async () => {
      throw AgentError.from(new Error(`open ${canary}`), `crun create: \`${canary}\``);
    },
  ],
  [
    "fail with an error that has a word of the request among its first ones",
    async () => {
      throw new AgentError(Code.internal, `Failed to find the storage handler ${canary}`);
    },
  ],
  [
    "fail with an error of the caller that quotes the request",
    async () => {
      throw new AgentError(Code.invalidArgument, `invalid value: ${canary}`);
    },
  ],
  [
    "fail with a system error that names a path",
    async () => {
      throw Object.assign(new Error(`ENOENT: open '${canary}'`), { code: "ENOENT", syscall: "open" });
    },
  ],
];

/** All but the two that begin a trace, which cannot be in it. */
const recorded = allMethods.filter(({ name }) => name !== "StartTracing" && name !== "Start");

for (const [how, handler] of outcomes)
  t.test(`no field of any request is found in spans or logs when calls ${how}`, async (t) => {
    const { tracing, finish, lines, collector } = await traced(t);
    const handle = tracing.interceptor((call) => handler(call.request));
    for (const method of recorded) {
      const metadata = [
        ["traceparent", canary],
        ["tracestate", canary],
        ["baggage", canary],
      ] as const;
      await handle(callOf(poisoned(method.requestType), metadata, { method })).catch(() => {});
    }
    const { report } = await finish();
    t.match(report, { complete: true, sent: recorded.length + 1 });
    for (const body of collector.bodies) t.notOk(/CANARY|secret|spaces/.test(body.toString("latin1")));
    t.notMatch(lines.join("\n"), /CANARY/);
  });
