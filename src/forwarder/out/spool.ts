import { type FileHandle, mkdir, open, readdir, unlink } from "node:fs/promises";
import { join } from "node:path";
import { crc32 } from "node:zlib";
import type { Batch, Export } from "../export.ts";
import type { Queue } from "./queue.ts";
import { Shares } from "./shares.ts";
import { type Label, labelBytesOf, labelFrom, maxLabelBytes } from "./spool-label.ts";

/**
 * A queue on the disk, which is still there when the program starts again.
 *
 * Primer. Exports are appended to segment files, `00000001.spool` and on; each record is a head of 16 bytes (length of
 * label, spans, length of body, CRC-32 of label and body; all 32 bits, little-endian), the label, the body. The label is
 * number and instance of the request that it came as (both empty when the sender does not tell) and the origin, with zero
 * bytes between. What was delivered is noted in `position` (number of the segment, offset, CRC-32 of both), and a segment all of whose records
 * were delivered is removed. A record counts as taken when it has been written: it survives the end of the program in
 * any form, and that of the machine only when each waits for the disk itself. After a restart the segments are read from `position` on; a record that was
 * cut short or spoilt ends its segment, the next one goes on. What was sent but not yet noted is sent again: backends
 * tell repeats by span id. A request that an agent sends again, since the program ended before it had answered, is known
 * by its number and not kept twice.
 *
 * In memory stays an index of what waits, some 100 bytes a record.
 */

const headBytes = 16;
const positionBytes = 12;
const segmentBytes = 8 * 1024 * 1024;
const maxBodyBytes = 80 * 1024 * 1024;

type Segment = { readonly number: number; readonly file: FileHandle; bytes: number; waiting: number };
type Entry = {
  readonly segment: Segment;
  readonly offset: number;
  readonly labelBytes: number;
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
  readonly #isSynced: boolean;
  /** Highest number of each instance among the records found at the start. */
  readonly #known = new Map<string, number>();
  #spans = 0;
  /** Records that were found spoilt at the start. */
  corrupt = 0;
  /** One write after the other. */
  #last: Promise<unknown> = Promise.resolve();

  private constructor(folder: string, position: FileHandle, maxBytes: number, isSynced: boolean) {
    this.#isSynced = isSynced;
    this.#folder = folder;
    this.#position = position;
    this.#shares = new Shares(maxBytes);
  }

  /**
   * Opens the folder, made with mode 0700 when it is not there, and finds what waits in it. With `isSynced` a record
   * counts as taken when the disk itself has it.
   * @throws the system error.
   */
  static async open(folder: string, maxBytes: number, isSynced = false): Promise<Spool> {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    const position = await open(join(folder, "position"), "a+", 0o600).then(async (file) => {
      await file.close();
      return open(join(folder, "position"), "r+");
    });
    const spool = new Spool(folder, position, maxBytes, isSynced);
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

  async push(exported: Export): Promise<void> {
    const { batch, origin } = exported;
    if (batch !== undefined && batch.sequence <= (this.#known.get(keyOf(origin, batch)) ?? -1)) return;
    this.#shares.add(exported.body.length, exported.origin);
    try {
      await this.#inTurn(() => this.#append(exported));
    } catch (error) {
      this.#shares.remove(exported.body.length, exported.origin);
      throw error;
    }
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
    for (const { bodyBytes, origin, spans } of dropped) {
      this.#shares.remove(bodyBytes, origin);
      this.#spans -= spans;
    }
    const last = dropped.at(-1);
    if (last === undefined) return;
    await this.#inTurn(async () => {
      for (const { segment } of dropped) segment.waiting--;
      await this.#note(last.segment.number, last.offset + headBytes + last.labelBytes + last.bodyBytes);
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

  async #append({ body, spans, origin, batch }: Export): Promise<void> {
    const label = labelBytesOf({ origin, batch });
    const segment = await this.#segmentFor(headBytes + label.length + body.length);
    const head = Buffer.alloc(headBytes);
    head.writeUInt32LE(label.length, 0);
    head.writeUInt32LE(spans, 4);
    head.writeUInt32LE(body.length, 8);
    head.writeUInt32LE(crc32(body, crc32(label)), 12);
    const bytes = headBytes + label.length + body.length;
    await this.#write(segment, [head, label, body], bytes);
    const offset = segment.bytes;
    if (this.#isSynced) await segment.file.datasync();
    segment.bytes += bytes;
    this.#add(segment, { offset, labelBytes: label.length, bodyBytes: body.length, origin, spans });
  }

  /** Behind what the segment holds. On a full disk the room of what was delivered is used again. */
  async #write(segment: Segment, parts: readonly Uint8Array[], bytes: number): Promise<void> {
    try {
      const { bytesWritten } = await segment.file.writev(parts, segment.bytes);
      if (bytesWritten < bytes) throw Object.assign(new Error("no space left on device"), { code: "ENOSPC" });
    } catch (error) {
      const isDone = segment.waiting === 0;
      await segment.file.truncate(isDone ? 0 : segment.bytes).catch(() => {});
      if (!isDone || segment.bytes === 0) throw error;
      segment.bytes = 0;
      await this.#note(segment.number, 0);
      await this.#write(segment, parts, bytes);
    }
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
    // Takes its place on the disk now: when that is full is the time to note what has left.
    if (!isKnown) await this.#note(0, 0);
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
    for (let offset = 0; offset < size; ) {
      const record = await recordAt(file, offset, size);
      if (record === undefined && offset >= from) {
        this.corrupt++;
        return;
      }
      // What was delivered is of interest for its number alone.
      if (record !== undefined) this.#know(record);
      if (record !== undefined && offset >= from) {
        this.#add(segment, record);
        this.#shares.add(record.bodyBytes, record.origin);
      }
      offset = record === undefined ? from : offset + headBytes + record.labelBytes + record.bodyBytes;
    }
  }

  #know({ origin, batch }: Label): void {
    if (batch === undefined) return;
    const key = keyOf(origin, batch);
    this.#known.set(key, Math.max(batch.sequence, this.#known.get(key) ?? 0));
  }

  #path(number: number): string {
    return join(this.#folder, `${String(number).padStart(8, "0")}.spool`);
  }
}

function keyOf(origin: string, { instance }: Batch): string {
  return `${instance}\0${origin}`;
}

async function bodyOf({ segment, offset, labelBytes, bodyBytes }: Entry): Promise<Uint8Array> {
  const body = Buffer.allocUnsafe(bodyBytes);
  const { bytesRead } = await segment.file.read(body, 0, bodyBytes, offset + headBytes + labelBytes);
  if (bytesRead < bodyBytes) throw new Error("spool was cut short");
  return body;
}

/** The record at an offset; undefined when it is not whole. */
async function recordAt(
  file: FileHandle,
  offset: number,
  size: number,
): Promise<(Omit<Entry, "segment" | "atMs"> & Label) | undefined> {
  const head = Buffer.alloc(headBytes);
  if ((await file.read(head, 0, headBytes, offset)).bytesRead < headBytes) return undefined;
  const [labelBytes, spans, bodyBytes] = [head.readUInt32LE(0), head.readUInt32LE(4), head.readUInt32LE(8)];
  if (labelBytes > maxLabelBytes || bodyBytes > maxBodyBytes) return undefined;
  if (offset + headBytes + labelBytes + bodyBytes > size) return undefined;
  const content = Buffer.allocUnsafe(labelBytes + bodyBytes);
  await file.read(content, 0, content.length, offset + headBytes);
  if (crc32(content) !== head.readUInt32LE(12)) return undefined;
  return { offset, labelBytes, bodyBytes, spans, ...labelFrom(content.subarray(0, labelBytes)) };
}
