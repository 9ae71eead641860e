import type { Kind, MessageTable, Rule } from "./message-table.ts";

/** A field as the codec likes it: found by number, with its wire type worked out. */
export type PlanField = {
  readonly number: number;
  readonly name: string;
  readonly kind: Kind;
  readonly rule: Rule;
  /** Wire type of a single value. */
  readonly wireType: 0 | 1 | 2 | 5;
  /** Plan of a message field, made on first use: message types may contain each other. */
  readonly plan: () => Plan;
};

/** A message table made ready for the codec. */
export type Plan = {
  readonly table: MessageTable;
  /** By field number; with holes. */
  readonly byNumber: readonly (PlanField | undefined)[];
  readonly fields: readonly PlanField[];
};

const plans = new WeakMap<MessageTable, Plan>();

/** The plan of a message type: made once per type, when the type is first used. */
export function planOf(table: MessageTable): Plan {
  const known = plans.get(table);
  if (known !== undefined) return known;
  const fields = table.fields.map(([number, name, kind, rule, type]) => {
    let plan: Plan | undefined;
    return {
      number,
      name,
      kind,
      rule,
      wireType: wireTypes[kind],
      plan: () => {
        plan ??= planOf((type as () => MessageTable)());
        return plan;
      },
    };
  });
  const byNumber: (PlanField | undefined)[] = [];
  for (const field of fields) byNumber[field.number] = field;
  const plan: Plan = { table, byNumber: Array.from(byNumber), fields };
  plans.set(table, plan);
  return plan;
}

const wireTypes: Readonly<Record<Kind, 0 | 1 | 2 | 5>> = {
  bool: 0,
  int32: 0,
  uint32: 0,
  int64: 0,
  uint64: 0,
  enum: 0,
  fixed64: 1,
  double: 1,
  string: 2,
  bytes: 2,
  message: 2,
  fixed32: 5,
};
