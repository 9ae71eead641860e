import { type FileHandle, open, rename } from "node:fs/promises";

/**
 * A file that is appended to and, when it would grow beyond its limit, set aside as `<path>.1`, the one before as
 * `<path>.2`, and so on; the oldest is overwritten.
 */
export class RotatingFile {
  readonly #path: string;
  readonly #maxBytes: number | undefined;
  readonly #keep: number;
  #file: FileHandle;
  #bytes: number;

  private constructor(
    path: string,
    maxBytes: number | undefined,
    keep: number,
    file: FileHandle,
    bytes: number,
  ) {
    this.#path = path;
    this.#maxBytes = maxBytes;
    this.#keep = keep;
    this.#file = file;
    this.#bytes = bytes;
  }

  /** Opens or makes the file, mode 0600. @throws the system error. */
  static async open(path: string, maxBytes: number | undefined, keep: number): Promise<RotatingFile> {
    const file = await open(path, "a", 0o600);
    const { size } = await file.stat();
    return new RotatingFile(path, maxBytes, keep, file, size);
  }

  /** Precondition: one call at a time. @throws the system error, ENOSPC above all. */
  readonly append = async (text: string): Promise<void> => {
    const bytes = Buffer.from(text);
    if (this.#maxBytes !== undefined && this.#bytes > 0 && this.#bytes + bytes.length > this.#maxBytes)
      await this.#rotate();
    try {
      await this.#file.appendFile(bytes);
      this.#bytes += bytes.length;
    } catch (error) {
      // A part of a line must not spoil the next one.
      await this.#file.truncate(this.#bytes).catch(() => {});
      throw error;
    }
  };

  close(): Promise<void> {
    return this.#file.close();
  }

  async #rotate(): Promise<void> {
    for (let number = this.#keep; number > 0; number--) {
      const from = number === 1 ? this.#path : `${this.#path}.${number - 1}`;
      await rename(from, `${this.#path}.${number}`).catch((error: NodeJS.ErrnoException) => {
        if (error.code !== "ENOENT") throw error;
      });
    }
    const file = await open(this.#path, this.#keep > 0 ? "a" : "w", 0o600);
    await this.#file.close();
    this.#file = file;
    this.#bytes = 0;
  }
}
