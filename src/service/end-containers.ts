import { abortable, deadline } from "../base/deadline.ts";
import { removeContainer } from "./remove-container.ts";
import type { Rooms } from "./rooms.ts";

/** How long creates that are under way may take to undo themselves: far more than crun needs for one. */
const createsMs = 5_000;

/**
 * Ends every container, those included that are being created, and refuses new ones from now on. Safe to repeat.
 * @throws INTERNAL when the processes of a container could not be ended; the others are gone.
 */
export async function endContainers(rooms: Rooms): Promise<void> {
  rooms.registry.close();
  // A create that hangs must not hold up the end of the containers that are there.
  await Promise.all([removals(rooms), settled(rooms)]);
  // One that was complete just before the close is there by now.
  const failed = (await removals(rooms)).find((removal) => removal.status === "rejected");
  if (failed !== undefined) throw failed.reason;
}

function removals(rooms: Rooms): Promise<PromiseSettledResult<void>[]> {
  return Promise.allSettled([...rooms.registry.all()].map((container) => removeContainer(rooms, container)));
}

async function settled({ registry, log }: Rooms): Promise<void> {
  const limit = deadline(createsMs);
  try {
    await abortable(registry.settled(), limit.signal);
  } catch {
    log.warn({ limitMs: createsMs }, "a create is still under way at the end of the sandbox");
  } finally {
    limit.done();
  }
}
