import { type FileHandle, mkdir, open, readdir, unlink } from "node:fs/promises";
import { join } from "node:path";
import { crc32 } from "node:zlib";
import type { Export } from "../export.ts";
import type { Queue } from "./queue.ts";
import { Shares } from "./shares.ts";

/**
 * A queue on the disk, which is still there when the program starts again.
 *
 * Primer. Exports are appended to segment files, `00000001.spool` and on; each record is a head of 16 bytes (length of
 * origin, spans, length of body, CRC-32 of origin and body; all 32 bits, little-endian), the origin, the body. What was
 * delivered is noted in `position` (number of the segment, offset, CRC-32 of both), and a segment all of whose records
 * were delivered is removed. A record counts as taken when it has been written: it survives the end of the program in
 * any form, though not that of the machine. After a restart the segments are read from `position` on; a record that was
 * cut short or spoilt ends its segment, the next one goes on. What was sent but not yet noted is sent again: backends
 * tell repeats by span id.
 *
 * In memory stays an index of what waits, some 100 bytes a record.
 */

const headBytes = 16;
const positionBytes = 12;
const segmentBytes = 8 * 1024 * 1024;
const maxBodyBytes = 80 * 1024 * 1024;
const maxOriginBytes = 4096;

type Segment = { readonly number: number; readonly file: FileHandle; bytes: number; waiting: number };
type Entry = {
  readonly segment: Segment;
  readonly offset: number;
  readonly originBytes: number;
  readonly bodyBytes: number;
  readonly origin: string;
  readonly spans: number;
  readonly atMs: number;
};

/** A queue in one folder, which no other program may use. */
export class Spool implements Queue {
  readonly survives = true;
  readonly #folder: string;
  readonly #position: FileHandle;
  readonly #shares: Shares;
  readonly #segments: Segment[] = [];
  #entries: Entry[] = [];
  #spans = 0;
  /** Records that were found spoilt at the start. */
  corrupt = 0;
  /** One write after the other. */
  #last: Promise<unknown> = Promise.resolve();

  private constructor(folder: string, position: FileHandle, maxBytes: number) {
    this.#folder = folder;
    this.#position = position;
    this.#shares = new Shares(maxBytes);
  }

  /**
   * Opens the folder, made with mode 0700 when it is not there, and finds what waits in it.
   * @throws the system error.
   */
  static async open(folder: string, maxBytes: number): Promise<Spool> {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    const position = await open(join(folder, "position"), "a+", 0o600).then(async (file) => {
      await file.close();
      return open(join(folder, "position"), "r+");
    });
    const spool = new Spool(folder, position, maxBytes);
    await spool.#recover();
    return spool;
  }

  get bytes(): number {
    return this.#shares.bytes;
  }

  get spans(): number {
    return this.#spans;
  }

  get length(): number {
    return this.#entries.length;
  }

  get oldestAtMs(): number | undefined {
    return this.#entries[0]?.atMs;
  }

  hasRoom(bytes: number, origin: string): boolean {
    return this.#shares.hasRoom(bytes, origin);
  }

  push(exported: Export): Promise<void> {
    this.#shares.add(exported.body.length, exported.origin);
    const written = this.#inTurn(() => this.#append(exported)).catch((error: Error) => {
      this.#shares.remove(exported.body.length, exported.origin);
      throw error;
    });
    return written;
  }

  async peek(maxBytes: number): Promise<readonly Export[]> {
    const found: Export[] = [];
    let bytes = 0;
    for (const entry of this.#entries) {
      bytes += entry.bodyBytes;
      if (found.length > 0 && bytes > maxBytes) break;
      found.push({ body: await bodyOf(entry), spans: entry.spans, origin: entry.origin });
    }
    return found;
  }

  async drop(count: number): Promise<void> {
    const dropped = this.#entries.splice(0, count);
    for (const { segment, bodyBytes, origin, spans } of dropped) {
      segment.waiting--;
      this.#shares.remove(bodyBytes, origin);
      this.#spans -= spans;
    }
    const last = dropped.at(-1);
    if (last === undefined) return;
    await this.#inTurn(async () => {
      await this.#note(last.segment.number, last.offset + headBytes + last.originBytes + last.bodyBytes);
      await this.#removeDone();
    });
  }

  async close(): Promise<void> {
    await this.#inTurn(async () => {
      for (const { file } of this.#segments.splice(0)) await file.close();
      await this.#position.close();
    });
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#last.then(work);
    this.#last = done.catch(() => {});
    return done;
  }

  async #append({ body, spans, origin }: Export): Promise<void> {
    const name = Buffer.from(origin).subarray(0, maxOriginBytes);
    const segment = await this.#segmentFor(headBytes + name.length + body.length);
    const head = Buffer.alloc(headBytes);
    head.writeUInt32LE(name.length, 0);
    head.writeUInt32LE(spans, 4);
    head.writeUInt32LE(body.length, 8);
    head.writeUInt32LE(crc32(body, crc32(name)), 12);
    const offset = segment.bytes;
    const bytes = headBytes + name.length + body.length;
    const { bytesWritten } = await segment.file.writev([head, name, body], offset);
    // The disk is full: what was written of it is overwritten by the next one.
    if (bytesWritten < bytes)
      throw Object.assign(new Error("no space left for the spool"), { code: "ENOSPC" });
    segment.bytes += bytes;
    this.#add(segment, { offset, originBytes: name.length, bodyBytes: body.length, origin, spans });
  }

  #add(segment: Segment, record: Omit<Entry, "segment" | "atMs">): void {
    segment.waiting++;
    this.#spans += record.spans;
    this.#entries.push({ ...record, segment, atMs: performance.now() });
  }

  async #segmentFor(bytes: number): Promise<Segment> {
    const last = this.#segments.at(-1);
    if (last !== undefined && (last.bytes === 0 || last.bytes + bytes <= segmentBytes)) return last;
    const number = (last?.number ?? 0) + 1;
    const file = await open(this.#path(number), "w+", 0o600);
    const segment = { number, file, bytes: 0, waiting: 0 };
    this.#segments.push(segment);
    return segment;
  }

  /** All but the last, which is written to. */
  async #removeDone(): Promise<void> {
    while (this.#segments.length > 1 && this.#segments[0]?.waiting === 0) {
      const { number, file } = this.#segments.shift() as Segment;
      await file.close();
      await unlink(this.#path(number));
    }
  }

  async #note(number: number, offset: number): Promise<void> {
    const bytes = Buffer.alloc(positionBytes);
    bytes.writeUInt32LE(number, 0);
    bytes.writeUInt32LE(offset, 4);
    bytes.writeUInt32LE(crc32(bytes.subarray(0, 8)), 8);
    await this.#position.write(bytes, 0, positionBytes, 0);
  }

  async #recover(): Promise<void> {
    const bytes = Buffer.alloc(positionBytes);
    const { bytesRead } = await this.#position.read(bytes, 0, positionBytes, 0);
    const isKnown = bytesRead === positionBytes && bytes.readUInt32LE(8) === crc32(bytes.subarray(0, 8));
    const [number, offset] = isKnown ? [bytes.readUInt32LE(0), bytes.readUInt32LE(4)] : [0, 0];
    const numbers = (await readdir(this.#folder))
      .map((name) => Number(/^(\d{8})\.spool$/.exec(name)?.[1] ?? Number.NaN))
      .filter((found) => !Number.isNaN(found))
      .sort((a, b) => a - b);
    for (const found of numbers) {
      if (found < number) await unlink(this.#path(found));
      else await this.#read(found, found === number ? offset : 0);
    }
    // A number is never used again: `position` may be about it.
    const next = Math.max(number, this.#segments.at(-1)?.number ?? 0) + 1;
    const file = await open(this.#path(next), "w+", 0o600);
    this.#segments.push({ number: next, file, bytes: 0, waiting: 0 });
    await this.#removeDone();
  }

  async #read(number: number, from: number): Promise<void> {
    const file = await open(this.#path(number), "r");
    const { size } = await file.stat();
    const segment: Segment = { number, file, bytes: size, waiting: 0 };
    this.#segments.push(segment);
    for (let offset = from; offset < size; ) {
      const record = await recordAt(file, offset, size);
      if (record === undefined) {
        this.corrupt++;
        return;
      }
      this.#add(segment, record);
      this.#shares.add(record.bodyBytes, record.origin);
      offset += headBytes + record.originBytes + record.bodyBytes;
    }
  }

  #path(number: number): string {
    return join(this.#folder, `${String(number).padStart(8, "0")}.spool`);
  }
}

async function bodyOf({ segment, offset, originBytes, bodyBytes }: Entry): Promise<Uint8Array> {
  const body = Buffer.allocUnsafe(bodyBytes);
  const { bytesRead } = await segment.file.read(body, 0, bodyBytes, offset + headBytes + originBytes);
  if (bytesRead < bodyBytes) throw new Error("spool was cut short");
  return body;
}

/** The record at an offset; undefined when it is not whole. */
async function recordAt(
  file: FileHandle,
  offset: number,
  size: number,
): Promise<Omit<Entry, "segment" | "atMs"> | undefined> {
  const head = Buffer.alloc(headBytes);
  if ((await file.read(head, 0, headBytes, offset)).bytesRead < headBytes) return undefined;
  const [originBytes, spans, bodyBytes] = [head.readUInt32LE(0), head.readUInt32LE(4), head.readUInt32LE(8)];
  if (originBytes > maxOriginBytes || bodyBytes > maxBodyBytes) return undefined;
  if (offset + headBytes + originBytes + bodyBytes > size) return undefined;
  const content = Buffer.allocUnsafe(originBytes + bodyBytes);
  await file.read(content, 0, content.length, offset + headBytes);
  if (crc32(content) !== head.readUInt32LE(12)) return undefined;
  return { offset, originBytes, bodyBytes, spans, origin: content.toString("utf8", 0, originBytes) };
}
