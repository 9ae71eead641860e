import { AgentError } from "../base/agent-error.ts";
import { codeName } from "../base/code.ts";

/** What a span may say about a failure: no paths, no arguments, no text that came from a request. */
export type ErrorFacts = { type: string; message: string };

/**
 * The facts of whatever was thrown. The type is the status name of an `AgentError`, the errno name of a system
 * error, else the class. The message is the status name again, or the system call and the errno name, or nothing.
 *
 * No text of an error is used: any part of it may quote the request (a driver, a file system type, a module), and
 * nothing in a text tells which words are ours. Which step failed is told by the span's name.
 */
export function errorFacts(thrown: unknown): ErrorFacts {
  if (thrown instanceof AgentError) {
    const name = codeName(thrown.code);
    return { type: name, message: name };
  }
  if (!(thrown instanceof Error)) return { type: typeof thrown, message: "" };
  const { code, syscall } = thrown as { code?: unknown; syscall?: unknown };
  if (typeof code !== "string") return { type: thrown.name, message: "" };
  return { type: code, message: typeof syscall === "string" ? `${syscall}: ${code}` : code };
}
