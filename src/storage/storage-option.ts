import { AgentError } from "../base/agent-error.ts";
import { Code } from "../base/code.ts";

/** The last value of `key=value` among option words; undefined without one. */
export function optionValue(options: readonly string[], key: string): string | undefined {
  return options.findLast((option) => option.startsWith(`${key}=`))?.slice(key.length + 1);
}

/** The same as a number of at most ten digits (six when octal). @throws INTERNAL for anything else. */
export function numberOption(options: readonly string[], key: string, base: 8 | 10): number | undefined {
  const digits = optionValue(options, key);
  if (digits === undefined) return undefined;
  if (!(base === 8 ? /^[0-7]{1,6}$/ : /^\d{1,10}$/).test(digits)) {
    throw new AgentError(Code.internal, `storage option ${key} is not a number`);
  }
  return Number.parseInt(digits, base);
}
