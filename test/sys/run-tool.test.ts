import { test } from "tap";
import { runTool } from "../../src/sys/run-tool.ts";

const limits = { timeoutMs: 60_000, maxOutputBytes: 1000 };

// agent-api 0.4
test("a missing program is an error that names it, and does not read as if the thing asked for were missing", async (t) => {
  const running = runTool("no-such-program", [], limits);
  await t.rejects(running, { code: 13, message: "the guest image lacks the program no-such-program" });
  // A caller takes errors with these words for the absence of a container (agent-api 0.4).
  await running.catch(({ message }) => t.notMatch(message, /not found|not exist/));
});

test("status, output and complaint come back; stdin is what was given; the environment is none of ours", async (t) => {
  const script = "cat; env | grep -c . >&2; exit 3";
  const { status, stdout, stderr } = await runTool("sh", ["-c", script], limits, Buffer.from("in"));
  t.equal(status, 3);
  t.equal(Buffer.from(stdout).toString(), "in");
  t.match(stderr, /^[1-3]$/, "PATH, and what the shell adds");
});

test("a program that prints too much or takes too long is ended", async (t) => {
  await t.rejects(runTool("yes", [], limits), { code: 13, message: /^yes: .*too long/ });
  await t.rejects(runTool("sleep", ["60"], { ...limits, timeoutMs: 10 }), {
    code: 13,
    message: "sleep: timeout",
  });
});

test("a complaint is cut to a length that fits into an error", async (t) => {
  const { stderr } = await runTool("sh", ["-c", "yes | head -c 5000 >&2"], {
    ...limits,
    maxOutputBytes: 10_000,
  });
  t.equal(stderr.length, 1000);
});
