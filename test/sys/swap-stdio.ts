/** Starts a child whose 0 is our 1 and the other way round; run by spawn.test.ts. */
import { spawn } from "../../src/sys/spawn.ts";

const script = "echo zero >&0; echo one >&1";
const child = spawn({ file: "/bin/sh", args: ["-c", script], env: {}, stdio: [1, 0, "null"] });
const exit = await child.exited;
process.exitCode = exit.how === "exited" ? exit.code : 1;
