import { copyOfBytes, hashOfBytes, isSameBytes } from "../../wire/byte-range.ts";
import { ProtobufWriter } from "../../wire/protobuf-writer.ts";
import { decodeUtf8 } from "../../wire/utf8.ts";
import { labelOf } from "./mend-span.ts";
import { writeAttributes } from "./span-data-writer.ts";

/**
 * What a program's spans are called is known after a few of them, so it is written once: for each pair of name and
 * namespace, fields of an OTLP span with the name, the kind, and the attributes that follow from both. The table has one
 * place per hash, in which a newcomer takes the place of whoever stood there: its memory has an end whatever guests say.
 */

const places = 1024;
/** Longer ones are not kept here. */
const maxTextBytes = 128;
const internal = 1;

/** The label of an internal span, written. */
export type WrittenLabel = {
  readonly fields: Uint8Array;
  readonly isCall: boolean;
};

type Kept = WrittenLabel & { readonly name: Uint8Array; readonly namespace: Uint8Array | undefined };

const kept: (Kept | undefined)[] = new Array(places).fill(undefined);
const writer = new ProtobufWriter();

/**
 * The label of the name from `from` to `to` with the namespace from `namespaceFrom` (-1: without one) to `namespaceTo`,
 * both ASCII; undefined when one of them is too long.
 */
export function writtenLabel(
  bytes: Uint8Array,
  from: number,
  to: number,
  namespaceFrom: number,
  namespaceTo: number,
): WrittenLabel | undefined {
  if (to - from > maxTextBytes || namespaceTo - namespaceFrom > maxTextBytes) return undefined;
  const place = hashOfBytes(bytes, from, to, hashOfBytes(bytes, namespaceFrom, namespaceTo)) & (places - 1);
  const known = kept[place];
  if (
    known !== undefined &&
    isSameBytes(known.name, bytes, from, to) &&
    (namespaceFrom < 0
      ? known.namespace === undefined
      : known.namespace !== undefined && isSameBytes(known.namespace, bytes, namespaceFrom, namespaceTo))
  )
    return known;
  const namespace = namespaceFrom < 0 ? undefined : copyOfBytes(bytes, namespaceFrom, namespaceTo);
  const made = write(copyOfBytes(bytes, from, to), namespace);
  kept[place] = made;
  return made;
}

function write(name: Uint8Array, namespace: Uint8Array | undefined): Kept {
  const text = (ascii: Uint8Array) => decodeUtf8(ascii, 0, ascii.length);
  const label = labelOf(text(name), namespace && text(namespace), internal);
  writer.rewind(0);
  writeAttributes(writer, 9, label.attributes);
  writer.string(5, label.name);
  writer.uint(6, label.kind);
  return { name, namespace, fields: writer.finish().slice(), isCall: label.isCall };
}
