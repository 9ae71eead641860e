import { readFile } from "node:fs/promises";
import { allMethods, type MethodDescriptor } from "../../gen/methods.ts";
import { addCommand, type Registry } from "../command.ts";
import { fromJson } from "../from-json.ts";
import { UsageError } from "../usage-error.ts";

function findMethod(name: string): MethodDescriptor {
  const method = allMethods.find((each) => each.name === name || each.path === name);
  if (method !== undefined) return method;
  throw new UsageError(
    `no such method: ${name}; there are: ${allMethods.map((each) => each.name).join(", ")}`,
  );
}

async function readJson(text: string): Promise<unknown> {
  const given = text.startsWith("@") ? await readFile(text.slice(1), "utf8").catch(cannotRead) : text;
  try {
    return JSON.parse(given);
  } catch (error) {
    throw new UsageError(`the request is not JSON: ${(error as Error).message}`);
  }
}

function cannotRead(error: Error): never {
  throw new UsageError(error.message);
}

/** `agentctl call METHOD JSON`: any method of the schema. */
export function addCall(registry: Registry): void {
  addCommand(
    registry,
    {
      usage: "call <method> [request]",
      summary:
        "call any method; request and answer are JSON with the names of the schema (bytes: base64, 64 bit: strings)",
      examples: [
        `--addr unix:///run/agent.sock call StartContainer '{"container_id":"web"}'`,
        "--addr unix:///run/agent.sock call CreateContainer @request.json",
        "--addr unix:///run/agent.sock call grpc.Health/Check",
      ],
    },
    async (session, [name = "", request = "{}"]) => {
      const method = findMethod(name);
      const message = fromJson(method.requestType, await readJson(request));
      await session.printJson(await (await session.agent()).call(method, message));
    },
  );
}
