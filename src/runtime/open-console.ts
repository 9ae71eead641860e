import { AgentError } from "../base/agent-error.ts";
import { Code } from "../base/code.ts";
import { deadline } from "../base/deadline.ts";
import { ConsoleSocket } from "../sys/console-socket.ts";
import { Descriptor } from "../sys/descriptor.ts";
import { setWindowSize } from "../sys/terminal.ts";
import type { OpenStreams } from "./open-streams.ts";
import type { ProcessIo } from "./process-io.ts";
import { ReadEnd } from "./read-end.ts";
import { WriteEnd } from "./write-end.ts";

/**
 * A terminal for a process: crun makes it in the container's own devpts and sends us the master side over a socket
 * at `path`.
 */
export function openConsole(path: string): OpenStreams {
  const socket = new ConsoleSocket(path);
  let io: ProcessIo | undefined;
  return {
    childStdio: ["null", "null", "null"],
    crunArgs: ["--console-socket", path],
    closeChildSide() {},
    async connect(timeoutMs) {
      const limit = deadline(timeoutMs);
      try {
        io = terminalIo(new Descriptor(await socket.receive(limit.signal)));
        return io;
      } finally {
        limit.done();
        socket.close();
      }
    },
    close() {
      socket.close();
      io?.close();
    },
  };
}

/** One descriptor for both directions: its reading side owns it, since the end of input must not end the output. */
function terminalIo(master: Descriptor): ProcessIo {
  const stdin = new WriteEnd(master, "keep");
  const stdout = new ReadEnd(master);
  return {
    stdin,
    stdout,
    stderr: undefined,
    resize(rows, columns) {
      // The number of a closed descriptor may be another terminal's by now.
      if (master.closed) throw new AgentError(Code.internal, "EIO: the terminal is closed");
      setWindowSize(master.fd, { rows, columns });
    },
    close() {
      stdin.close();
      stdout.close();
    },
  };
}
