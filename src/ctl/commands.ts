import type { Registry } from "./command.ts";
import { addCall } from "./commands/call.ts";
import { addCheck } from "./commands/check.ts";
import { addCloseStdin } from "./commands/close-stdin.ts";
import { addCompletion } from "./commands/completion.ts";
import { addCopy } from "./commands/copy.ts";
import { addCreate } from "./commands/create.ts";
import { addCreateSandbox } from "./commands/create-sandbox.ts";
import { addDemo } from "./commands/demo.ts";
import { addDestroySandbox } from "./commands/destroy-sandbox.ts";
import { addDetails } from "./commands/details.ts";
import { addDoctor } from "./commands/doctor.ts";
import { addExec } from "./commands/exec.ts";
import { addInstall } from "./commands/install.ts";
import { addPod } from "./commands/pod.ts";
import { addRemove } from "./commands/remove.ts";
import { addResize } from "./commands/resize.ts";
import { addRun } from "./commands/run.ts";
import { addSignal } from "./commands/signal.ts";
import { addStart } from "./commands/start.ts";
import { addStats } from "./commands/stats.ts";
import { addStderr } from "./commands/stderr.ts";
import { addStdin } from "./commands/stdin.ts";
import { addStdout } from "./commands/stdout.ts";
import { addTrace } from "./commands/trace.ts";
import { addUninstall } from "./commands/uninstall.ts";
import { addVersion } from "./commands/version.ts";
import { addWait } from "./commands/wait.ts";

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
  addInstall,
  addUninstall,
  addDemo,
  addCompletion,
];
