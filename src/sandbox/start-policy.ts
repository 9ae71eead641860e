import { readFileSync } from "node:fs";
import { AgentError } from "../base/agent-error.ts";
import { Code } from "../base/code.ts";
import type { Log } from "../base/log.ts";
import { Policy } from "./policy.ts";
import { PolicyRecord } from "./policy-record.ts";

/**
 * `file` is what the options say, empty for nothing; `replacement` is the text that initdata brings; `record` asks for
 * the record of requests.
 */
export type PolicyStart = {
  file: string;
  replacement?: string | undefined;
  record: boolean;
  log: Log;
  defaultFile?: string;
  recordFile?: string;
};

/**
 * The guest's policy as it is before the first call (agent-api 1.4 step 7). A file that is there, or was asked for, is
 * in force or the agent does not start: an image that was given a policy must not run without it. Only when nothing was
 * asked for and there is no default file, there is no policy.
 * @throws INTERNAL when the file cannot be read, INVALID_ARGUMENT when it is no policy, NOT_FOUND when this build has no
 *   engine for it.
 */
export function startPolicy(start: PolicyStart): Policy {
  const {
    file,
    log,
    defaultFile = "/etc/kata-opa/default-policy.rego",
    recordFile = "/tmp/policy.jsonl",
  } = start;
  const policy = new Policy(log, start.record ? new PolicyRecord(recordFile, log) : undefined);
  const text = file === "" ? readDefault(defaultFile) : read(file);
  if (text !== undefined) policy.replace(text);
  if (start.replacement !== undefined) policy.replace(start.replacement);
  return policy;
}

function readDefault(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw unreadable(error);
  }
}

function read(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    throw unreadable(error);
  }
}

function unreadable(error: unknown): AgentError {
  return AgentError.from(error, "policy file", Code.internal);
}
