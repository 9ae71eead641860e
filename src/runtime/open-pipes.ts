import { Descriptor } from "../sys/descriptor.ts";
import { closeFd, makePipe, type Pipe, setPipeSize } from "../sys/pipe.ts";
import type { OpenStreams } from "./open-streams.ts";
import type { ProcessIo } from "./process-io.ts";
import { ReadEnd } from "./read-end.ts";
import { WriteEnd } from "./write-end.ts";

/**
 * Three pipes for a process without a terminal: pipes and not sockets, so that it can open `/dev/stdout` again
 * (agent-api 3.3.10 step 3). `pipeBytes` > 0 sets the capacity of the output pipes, as far as the kernel allows it.
 */
export function openPipes(pipeBytes: number): OpenStreams {
  const pipes: Pipe[] = [];
  try {
    for (let count = 0; count < 3; count += 1) pipes.push(makePipe());
    const [input, output, errors] = pipes as [Pipe, Pipe, Pipe];
    return streams(input, sized(output, pipeBytes), sized(errors, pipeBytes));
  } catch (error) {
    for (const { readEnd, writeEnd } of pipes) [readEnd, writeEnd].forEach(closeFd);
    throw error;
  }
}

type SizedPipe = Pipe & { readonly capacityBytes: number | undefined };

/** A size that the kernel refuses is no reason to run no container: the pipe then keeps the kernel's own size. */
function sized(pipe: Pipe, pipeBytes: number): SizedPipe {
  try {
    return { ...pipe, capacityBytes: pipeBytes > 0 ? setPipeSize(pipe.writeEnd, pipeBytes) : undefined };
  } catch {
    return { ...pipe, capacityBytes: undefined };
  }
}

function streams(input: Pipe, output: SizedPipe, errors: SizedPipe): OpenStreams {
  const io = pipeIo(input.writeEnd, output, errors);
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

function pipeIo(input: number, output: SizedPipe, errors: SizedPipe): ProcessIo {
  const stdin = new WriteEnd(new Descriptor(input));
  const stdout = new ReadEnd(new Descriptor(output.readEnd), output.capacityBytes);
  const stderr = new ReadEnd(new Descriptor(errors.readEnd), errors.capacityBytes);
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
