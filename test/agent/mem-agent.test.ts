import { test } from "tap";
import { needsRoot, refusal, startAgent } from "../fakes/real-agent.ts";

test("without the mem-agent its calls are refused (agent-api 3.35)", needsRoot, async (t) => {
  await using agent = await startAgent();
  const disabled = { code: 13, message: "mem-agent is disabled" };
  t.match(await refusal(agent.calls.MemAgentMemcgSet({ period_secs: 1n })), disabled);
  t.match(await refusal(agent.calls.MemAgentCompactSet({})), disabled);
});
