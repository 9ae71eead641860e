import { Descriptor } from "../sys/descriptor.ts";
import { closeFd, makePipe, type Pipe, setPipeSize } from "../sys/pipe.ts";
import type { OpenStreams } from "./open-streams.ts";
import type { ProcessIo } from "./process-io.ts";
import { ReadEnd } from "./read-end.ts";
import { WriteEnd } from "./write-end.ts";

/**
 * Three pipes for a process without a terminal: pipes and not sockets, so that it can open `/dev/stdout` again
 * (agent-api 3.3.10 step 3). `pipeBytes` > 0 sets the capacity of the output pipes.
 */
export function openPipes(pipeBytes: number): OpenStreams {
  const pipes: Pipe[] = [];
  try {
    for (let count = 0; count < 3; count += 1) pipes.push(makePipe());
    const [input, output, errors] = pipes as [Pipe, Pipe, Pipe];
    if (pipeBytes > 0) for (const pipe of [output, errors]) setPipeSize(pipe.writeEnd, pipeBytes);
    return streams(input, output, errors);
  } catch (error) {
    for (const { readEnd, writeEnd } of pipes) [readEnd, writeEnd].forEach(closeFd);
    throw error;
  }
}

function streams(input: Pipe, output: Pipe, errors: Pipe): OpenStreams {
  const io = pipeIo(input.writeEnd, output.readEnd, errors.readEnd);
  let theirs = [input.readEnd, output.writeEnd, errors.writeEnd];
  const closeChildSide = () => {
    theirs.forEach(closeFd);
    theirs = [];
  };
  return {
    childStdio: [input.readEnd, output.writeEnd, errors.writeEnd],
    crunArgs: [],
    closeChildSide,
    connect: () => Promise.resolve(io),
    close() {
      closeChildSide();
      io.close();
    },
  };
}

function pipeIo(input: number, output: number, errors: number): ProcessIo {
  const stdin = new WriteEnd(new Descriptor(input));
  const stdout = new ReadEnd(new Descriptor(output));
  const stderr = new ReadEnd(new Descriptor(errors));
  return {
    stdin,
    stdout,
    stderr,
    resize: undefined,
    close() {
      stdin.close();
      stdout.close();
      stderr.close();
    },
  };
}
