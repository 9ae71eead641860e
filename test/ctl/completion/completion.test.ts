import { execFileSync, spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Test, test } from "tap";
import { bashCompletion } from "../../../src/ctl/completion/bash.ts";
import { fishCompletion } from "../../../src/ctl/completion/fish.ts";
import { outlineOf } from "../../../src/ctl/completion/outline.ts";
import { zshCompletion } from "../../../src/ctl/completion/zsh.ts";
import { newCommand } from "../../../src/forwarder/read-arguments.ts";
import { runAgentctl } from "../../fakes/fake-host.ts";

const isMissing = (shell: string) =>
  spawnSync(shell, ["--version"]).status !== 0 && `${shell} is not installed`;

/** What bash offers behind `line`, of which the last word is being typed. */
function offered(t: Test, script: string, name: string, ...line: string[]): string[] {
  const file = join(t.testdir({ "spans.jsonl": "" }), "completion");
  writeFileSync(file, script);
  const run = `. "$1"; shift; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); ${name}; printf '%s\\n' "\${COMPREPLY[@]}"`;
  const text = execFileSync("bash", ["-c", run, "bash", file, ...line], {
    encoding: "utf8",
    cwd: join(file, ".."),
  });
  return text.split("\n").filter((word) => word !== "");
}

const ctlFor = async (shell: string) => (await runAgentctl(["completion", shell])).stdout;

test("bash completes commands, flags, files and choices where they can stand", async (t) => {
  const script = await ctlFor("bash");
  const after = (...words: string[]) => offered(t, script, "_agentctl", "agentctl", ...words);
  t.same(after("tr"), ["trace"]);
  t.same(after("trace", "sta"), ["status", "start"]);
  t.same(after("trace", "start", "--co"), ["--collated"]);
  t.same(after("--addr", "trace", "doc"), ["doctor"], "the value of a flag is no command");
  t.same(after("--json", "doctor", "--fo"), ["--forwarder"]);
  t.same(after("doctor", "--add"), ["--addr"], "flags of all commands");
  t.same(after("doctor", "--config", "sp"), ["spans.jsonl"]);
  t.same(after("--addr", "sp"), [], "what is no file is left to the user");
  t.same(after("completion", ""), [
    ...["bash", "zsh", "fish"],
    ..."--addr --grpc --timeout --wait --json --traceparent --trace-addr -v --verbose -h --help".split(" "),
  ]);
  t.same(after("start", "wait", "--ti"), ["--timeout"], "an operand that is called like a command");
});

test("a program without commands is completed too", (t) => {
  const script = bashCompletion(outlineOf(newCommand()));
  const after = (...words: string[]) =>
    offered(t, script, "_kata_trace_forwarder", "kata-trace-forwarder", ...words);
  t.same(after("--otlp-"), ["--otlp-endpoint"]);
  t.same(after("--config", "sp"), ["spans.jsonl"]);
  t.end();
});

test("every command and every flag of the help is in each script", async (t) => {
  const { stdout: help } = await runAgentctl(["--help"]);
  const words = [...help.matchAll(/^ {2}([a-z-]+) \[options\]|(--[a-z-]+)/gm)].map(
    ([, name, flag]) => name ?? flag ?? "",
  );
  t.ok(words.length > 30);
  for (const shell of ["bash", "zsh", "fish"]) {
    const script = await ctlFor(shell);
    for (const word of words) {
      const spelt = shell === "fish" ? word.replace(/^--/, "-l ") : word;
      t.ok(script.includes(spelt), `${shell}: ${word}`);
    }
  }
});

for (const [shell, check] of [
  ["zsh", ["-n"]],
  ["fish", ["--no-execute"]],
] as const) {
  test(`${shell} understands both scripts`, { skip: isMissing(shell) }, async (t) => {
    const write = { zsh: zshCompletion, fish: fishCompletion }[shell];
    const folder = t.testdir({ ctl: await ctlFor(shell), forwarder: write(outlineOf(newCommand())) });
    for (const name of ["ctl", "forwarder"]) {
      const { status, stderr } = spawnSync(shell, [...check, join(folder, name)], { encoding: "utf8" });
      t.same({ status, stderr }, { status: 0, stderr: "" }, name);
    }
  });
}

test("fish offers what can stand there", { skip: isMissing("fish") }, async (t) => {
  const folder = t.testdir({ script: await ctlFor("fish") });
  const offer = (line: string) => {
    const ask = `source ${folder}/script; complete -C ${JSON.stringify(line)}`;
    const env = { ...process.env, HOME: folder };
    return execFileSync("fish", ["--no-config", "-c", ask], { encoding: "utf8", env }).trim();
  };
  t.match(offer("agentctl trace sta"), /^start\t.*\nstatus\t/);
  t.match(offer("agentctl doctor --forw"), /^--forwarder\t/);
});

test("a shell that is none is a word on standard error", async (t) => {
  t.match(await runAgentctl(["completion", "tcsh"]), { status: 2, stdout: "", stderr: /bash, zsh, fish/ });
});
