/** Prints the bytes of heap that 50,000 aborted waits for one process leave; run by process.test.ts. */
import { heapGrowth } from "../fakes/heap-growth.ts";
import { runningProcess } from "./running-process.ts";

const running = await runningProcess("exec cat");
const bytes = await heapGrowth(50_000, async () => {
  const limit = new AbortController();
  const wait = running.wait(limit.signal);
  limit.abort(new Error("enough"));
  await wait.catch(() => undefined);
});
await running.closeStdin();
await running.wait(new AbortController().signal);
process.stdout.write(`${bytes}\n`);
