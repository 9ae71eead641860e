import { AgentError } from "../base/agent-error.ts";
import { codeName } from "../base/code.ts";

/** What a span may say about a failure: no paths, no arguments, no text that came from a request. */
export type ErrorFacts = { type: string; message: string };

const maxMessageLength = 120;

/**
 * The facts of whatever was thrown. The type is the status name of an `AgentError`, the errno name of a system
 * error, else the class. The message is the first link of the chained text, which is ours and says which step
 * failed; the links after it may quote a request (a program name, a path) and stay out, as does all in quotes.
 */
export function errorFacts(thrown: unknown): ErrorFacts {
  if (thrown instanceof AgentError) return { type: codeName(thrown.code), message: ownWords(thrown.message) };
  if (!(thrown instanceof Error)) return { type: typeof thrown, message: "" };
  const { code, syscall } = thrown as { code?: unknown; syscall?: unknown };
  if (typeof code !== "string") return { type: thrown.name, message: "" };
  return { type: code, message: typeof syscall === "string" ? `${syscall}: ${code}` : code };
}

function ownWords(message: string): string {
  const [first = ""] = message.split(": ", 1);
  return first.replace(/(["'`]).*?\1|["'`].*$|\S*\/\S*/gs, "…").slice(0, maxMessageLength);
}
