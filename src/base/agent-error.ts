import { Code } from "./code.ts";

/** How a path over one of our own descriptors begins in the text of a system error; the number tells nobody anything. */
const ownDescriptor = /'\/proc\/self\/fd\/\d+\/?/g;

/**
 * A failure that the caller of a request must hear about.
 *
 * `message` goes to the peer as it is: short, chained with `: `, free of secrets, paths of our own code and stack
 * traces. What only the log may know belongs in `cause`.
 */
export class AgentError extends Error {
  override readonly name = "AgentError";
  readonly code: Code;

  constructor(code: Code, message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.code = code;
  }

  /**
   * Turns whatever was thrown into an {@link AgentError}; `context` is put before the text of the original.
   * System errors keep their own text (`ENOENT: …`), anything else unknown is INTERNAL with its message.
   */
  static from(thrown: unknown, context?: string, code?: Code): AgentError {
    const prefix = context === undefined ? "" : `${context}: `;
    if (thrown instanceof AgentError) {
      if (context === undefined && code === undefined) return thrown;
      return new AgentError(code ?? thrown.code, prefix + thrown.message, { cause: thrown });
    }
    const text = (thrown instanceof Error ? thrown.message : String(thrown)).replace(ownDescriptor, "'");
    return new AgentError(code ?? Code.internal, prefix + text, { cause: thrown });
  }
}
