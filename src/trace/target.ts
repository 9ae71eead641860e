import type { ByteStream } from "../base/byte-stream.ts";

/** The receiver. */
export type Target = {
  /** Opens a stream to it, or rejects within `timeoutMs`. */
  connect: (timeoutMs: number) => Promise<ByteStream>;
  /** Value of the `Host` header, such as `localhost` or `collector:4318`. */
  authority: string;
};
