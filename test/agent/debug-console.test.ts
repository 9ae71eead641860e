import { closeSync, readFileSync } from "node:fs";
import { type Test, test } from "tap";
import { listenConsole, serialConsole } from "../../src/agent/debug-console.ts";
import type { ByteStream } from "../../src/base/byte-stream.ts";
import { silentLog } from "../../src/base/log.ts";
import { Descriptor } from "../../src/sys/descriptor.ts";
import { openTerminal } from "../../src/sys/terminal.ts";
import { dial } from "../../src/vsock/dial.ts";
import { eventually } from "../fakes/real-agent.ts";
import { socketFolder } from "../vsock/socket-folder.ts";

const shells = ["/nonexistent/shell", "/bin/sh"];

async function openAt(t: Test) {
  const address = { kind: "unix", path: `${socketFolder(t)}/console` } as const;
  const console = await listenConsole(address, silentLog, shells);
  t.teardown(() => console.close());
  return { console, address };
}

/** A person at a terminal. */
class Session {
  text = "";
  ended = false;
  readonly #stream: ByteStream;

  constructor(stream: ByteStream) {
    this.#stream = stream;
    stream.start(
      (chunk) => {
        this.text += Buffer.from(chunk).toString();
      },
      () => {
        this.ended = true;
      },
    );
  }

  say(line: string): void {
    this.#stream.write(Buffer.from(`${line}\n`));
  }

  /** The first group of a pattern once it stands in the output. */
  async sees(pattern: RegExp): Promise<string> {
    await eventually(() => pattern.test(this.text));
    return pattern.exec(this.text)?.[1] ?? `nothing like ${pattern} in ${JSON.stringify(this.text)}`;
  }

  leave(): Promise<void> {
    return this.#stream.close();
  }
}

async function enter(t: Test, { address }: Awaited<ReturnType<typeof openAt>>): Promise<Session> {
  const stream = await dial(address, { timeoutMs: 60_000 });
  t.teardown(() => stream.close());
  return new Session(stream);
}

function lives(pid: number): boolean {
  try {
    return !/^\d+ \(.*\) Z/s.test(readFileSync(`/proc/${pid}/stat`, "utf8"));
  } catch {
    return false;
  }
}

test("every connection has a shell on a terminal of its own, as leader of its session (agent-api 6.5)", async (t) => {
  const open = await openAt(t);
  const sessions = [await enter(t, open), await enter(t, open)];
  const seen: string[] = [];
  for (const session of sessions) {
    // In two parts, so that the echo of the line is not taken for its answer.
    session.say(
      'printf "on=%s pid=%s size=%s\\n" "$(tty)" $$ "$(stty size)"; exec 9</dev/tty && echo control"led"',
    );
    seen.push(await session.sees(/on=(\/dev\/pts\/\d+) pid=\d+ size=24 80/));
    await session.sees(/(controlled)/);
  }
  t.not(seen[0], seen[1]);
  t.match(seen[0], /^\/dev\/pts\//);
  sessions[0]?.say("exit");
  t.ok(await eventually(() => sessions[0]?.ended === true), "a shell that exits ends its connection");
  sessions[1]?.say("echo still $((40 + 2))");
  t.equal(await sessions[1]?.sees(/still (42)/), "42");
});

test("all output arrives, also what a shell says last", async (t) => {
  const session = await enter(t, await openAt(t));
  session.say("stty -echo; printf 'ready%s\\n' 1");
  await session.sees(/(ready1)/);
  session.text = "";
  session.say("head -c 2000000 /dev/zero | tr '\\0' x; echo last word; exit");
  await eventually(() => session.ended);
  t.equal(session.text.split("x").length - 1, 2_000_000);
  t.match(session.text, /last word/);
});

test("a client that goes takes its shell with it, and what runs in front of it (agent-api 6.5)", async (t) => {
  const session = await enter(t, await openAt(t));
  session.say("printf 'shell=%s\\n' $$; sh -c 'printf \"child=%s\\n\" $$; exec sleep 600'");
  const shell = Number(await session.sees(/shell=(\d+)/));
  const child = Number(await session.sees(/child=(\d+)/));
  t.ok(lives(shell) && lives(child));
  await session.leave();
  t.ok(await eventually(() => !lives(shell)));
  t.ok(await eventually(() => !lives(child)));
});

test("closing the console ends every session, and may be repeated", async (t) => {
  const open = await openAt(t);
  const session = await enter(t, open);
  session.say("printf 'shell=%s\\n' $$");
  const shell = Number(await session.sees(/shell=(\d+)/));
  await Promise.all([open.console.close(), open.console.close()]);
  t.notOk(lives(shell));
  t.ok(await eventually(() => session.ended));
  await t.rejects(dial(open.address, { timeoutMs: 1_000 }));
});

test("without any shell there is no console, and the error says so", async (t) => {
  const address = { kind: "unix", path: `${socketFolder(t)}/console` } as const;
  await t.rejects(listenConsole(address, silentLog, ["/nonexistent"]), { code: 5, message: /no shell/ });
});

test("the serial console has one interactive shell, which ends with the agent (agent-api 6.5)", async (t) => {
  const { master, slave } = openTerminal();
  using terminal = new Descriptor(master);
  const console = serialConsole(silentLog, `/proc/self/fd/${slave}`, shells);
  closeSync(slave);
  terminal.write([Buffer.from("case $- in *i*) printf 'pid=%s\\n' $$;; esac\n")]);
  let text = "";
  const buffer = Buffer.alloc(4096);
  while (!/pid=\d+/.test(text)) {
    await terminal.readable();
    text += buffer.toString("utf8", 0, Math.max(0, terminal.read(buffer)));
  }
  const shell = Number(/pid=(\d+)/.exec(text)?.[1]);
  t.ok(lives(shell));
  await console.close();
  t.notOk(lives(shell));
});
