/** Scalar types that the codec knows; 64-bit ones are `bigint` in TypeScript. */
export type Kind =
  | "bool"
  | "int32"
  | "uint32"
  | "int64"
  | "uint64"
  | "fixed32"
  | "fixed64"
  | "double"
  | "string"
  | "bytes"
  | "enum"
  | "message";

/** How often a field comes: nothing for once; `optional`: absent is `undefined`; `map`: by string keys. */
export type Rule = "repeated" | "optional" | "map" | undefined;

/**
 * What the codec has to know of a message. The generated message types are of this shape; the codec takes the shape
 * only, so that it depends on no particular schema. `create` makes a message with all fields at their zero value.
 */
export type MessageTable<T extends object = object> = {
  readonly name: string;
  readonly fields: readonly (readonly [
    number: number,
    name: string,
    kind: Kind,
    rule?: Rule,
    type?: () => MessageTable,
  ])[];
  readonly create: () => T;
};
