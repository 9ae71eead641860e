// Made by scripts/gen.ts from protos/. Do not edit: change the proto file and run the script.

/** Scalar types of protobuf that our messages use; 64-bit ones are `bigint` in TypeScript. */
export type Kind =
  | "bool" | "int32" | "uint32" | "int64" | "uint64" | "fixed32" | "fixed64" | "double"
  | "string" | "bytes" | "enum" | "message";

/**
 * One field: number, name, kind, how often it comes (nothing: once, and absent means the zero value; `optional`:
 * absent is `undefined`; `map`: by string keys), and the type of a message field.
 */
export type Field = readonly [
  number: number,
  name: string,
  kind: Kind,
  rule?: "repeated" | "optional" | "map" | undefined,
  type?: () => MessageType,
];

/** What a codec has to know of a message. `create` makes one with all fields at their zero value. */
export type MessageType<T extends object = object> = {
  readonly name: string;
  readonly fields: readonly Field[];
  readonly create: () => T;
};

/** A message to be encoded: every field may be left out, at every depth. */
export type Input<T> = T extends string | number | boolean | bigint | Uint8Array | undefined
  ? T
  : T extends ReadonlyMap<infer K, infer V>
    ? ReadonlyMap<K, Input<V>>
    : T extends readonly (infer E)[]
      ? readonly Input<E>[]
      : { readonly [P in keyof T]?: Input<T[P]> | undefined };
