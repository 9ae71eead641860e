import { addCall } from "./call.ts";
import { addCheck } from "./check.ts";
import { addCloseStdin } from "./close-stdin.ts";
import type { Registry } from "./command.ts";
import { addCopy } from "./copy.ts";
import { addCreate } from "./create.ts";
import { addCreateSandbox } from "./create-sandbox.ts";
import { addDemo } from "./demo.ts";
import { addDestroySandbox } from "./destroy-sandbox.ts";
import { addDetails } from "./details.ts";
import { addDoctor } from "./doctor.ts";
import { addExec } from "./exec.ts";
import { addPod } from "./pod.ts";
import { addRemove } from "./remove.ts";
import { addResize } from "./resize.ts";
import { addRun } from "./run.ts";
import { addSignal } from "./signal.ts";
import { addStart } from "./start.ts";
import { addStats } from "./stats.ts";
import { addStderr } from "./stderr.ts";
import { addStdin } from "./stdin.ts";
import { addStdout } from "./stdout.ts";
import { addTrace } from "./trace.ts";
import { addVersion } from "./version.ts";
import { addWait } from "./wait.ts";

/** Every command, in the order of the help. */
export const commands: readonly ((registry: Registry) => void)[] = [
  addCheck,
  addVersion,
  addDetails,
  addCreateSandbox,
  addDestroySandbox,
  addCreate,
  addStart,
  addExec,
  addSignal,
  addWait,
  addRemove,
  addStats,
  addStdout,
  addStderr,
  addStdin,
  addCloseStdin,
  addResize,
  addCopy,
  addRun,
  addPod,
  addCall,
  addTrace,
  addDoctor,
  addDemo,
];
