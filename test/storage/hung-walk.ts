/** Prints the bytes of heap that 50,000 waits for a walk that hangs leave; run by stale-share-mounts.test.ts. */
import { touchShareMounts } from "../../src/storage/stale-share-mounts.ts";
import { heapGrowth } from "../fakes/heap-growth.ts";

const everyMount = "";
const never = new Promise<void>(() => {});
const bytes = await heapGrowth(50_000, () => touchShareMounts(everyMount, () => never));
process.stdout.write(`${bytes}\n`);
