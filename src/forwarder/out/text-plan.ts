import type { MessageTable } from "../../wire/message-table.ts";
import { type PlanField, planOf } from "../../wire/protobuf-plan.ts";

/** A field on its way into JSON: `index` among the fields of its message, `key` with quotes and colon. */
export type TextField = {
  readonly index: number;
  readonly key: string;
  readonly kind: PlanField["kind"];
  readonly rule: PlanField["rule"];
  readonly wireType: PlanField["wireType"];
  /** Trace and span ids: hex where other bytes are base64. */
  readonly isId: boolean;
  readonly plan: () => TextPlan;
};

/** A message type made ready for {@link TextField}s. */
export type TextPlan = {
  readonly name: string;
  readonly fields: readonly TextField[];
  /** By field number; with holes. */
  readonly byNumber: readonly (TextField | undefined)[];
};

const idFields = new Set(["trace_id", "span_id", "parent_span_id"]);
const plans = new Map<MessageTable, TextPlan>();

/** The plan of a message type: made once per type, when the type is first used. */
export function textPlanOf(table: MessageTable): TextPlan {
  const known = plans.get(table);
  if (known !== undefined) return known;
  const { fields: sources } = planOf(table);
  const fields = sources.map((source, index) => textField(source, index));
  const byNumber: (TextField | undefined)[] = [];
  for (const [index, { number }] of sources.entries()) byNumber[number] = fields[index];
  const plan = { name: table.name, fields, byNumber: Array.from(byNumber) };
  plans.set(table, plan);
  return plan;
}

function textField({ name, kind, rule, wireType, plan: planOfType }: PlanField, index: number): TextField {
  let plan: TextPlan | undefined;
  return {
    index,
    key: `"${camelCase(name)}":`,
    kind,
    rule,
    wireType,
    isId: idFields.has(name),
    plan: () => {
      plan ??= textPlanOf(planOfType().table);
      return plan;
    },
  };
}

function camelCase(name: string): string {
  return name.replace(/_([a-z])/g, (_match, letter: string) => letter.toUpperCase());
}
