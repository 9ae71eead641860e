import { test } from "tap";
import { Descriptor } from "../../src/sys/descriptor.ts";
import { closeFd } from "../../src/sys/pipe.ts";
import { spawn } from "../../src/sys/spawn.ts";
import { getWindowSize, openTerminal, setWindowSize } from "../../src/sys/terminal.ts";

const env = { PATH: "/usr/bin:/bin" };

/** Reads a master until the other side is gone, which a terminal tells by EIO. */
async function readToEnd(master: Descriptor): Promise<string> {
  const buffer = new Uint8Array(4096);
  let text = "";
  for (;;) {
    try {
      const got = master.read(buffer);
      if (got > 0) text += Buffer.from(buffer.subarray(0, got)).toString();
      else await master.readable();
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "EIO") return text;
      throw error;
    }
  }
}

test("a session with a controlling terminal sees its size and its input", async (t) => {
  const { master, slave } = openTerminal();
  setWindowSize(master, { rows: 42, columns: 123 });
  t.same(getWindowSize(slave), { rows: 42, columns: 123 });
  const script = "stty size; tty; [ -t 0 ] && read line </dev/tty && echo got=$line";
  const child = spawn({
    file: "sh",
    args: ["-c", script],
    env,
    stdio: [slave, slave, slave],
    newSession: true,
    controllingTerminal: true,
  });
  closeFd(slave);
  using terminal = new Descriptor(master);
  terminal.write([Buffer.from("hello\n")]);
  const text = await readToEnd(terminal);
  t.same(await child.exited, { how: "exited", code: 0 });
  t.match(text, "42 123\r\n");
  t.match(text, /\/dev\/pts\/\d+\r\n/);
  t.match(text, "got=hello\r\n");
});

test("what is no terminal has no size", (t) => {
  using file = new Descriptor(openTerminal().master);
  file.close();
  t.throws(() => getWindowSize(9999), { code: "EBADF", syscall: "ioctl" });
  t.throws(() => setWindowSize(0, { rows: 70000, columns: 1 }), TypeError);
  t.end();
});
