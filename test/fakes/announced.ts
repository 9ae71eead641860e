import type { TraceControlMethods } from "../../src/gen/methods.ts";
import type { ClientOf } from "../../src/rpc/client.ts";
import type { Running } from "../forwarder/running.ts";
import { until } from "./until.ts";

/**
 * Waits until a forwarder with an admin address knows all spans that are open in its only guest. Calls that `control`'s
 * connection has sent before are among them.
 */
export async function announced(
  control: ClientOf<typeof TraceControlMethods>,
  forwarder: Running,
): Promise<void> {
  await until("all open spans are announced", async () => {
    const { open } = await control.Status({});
    const known = /^kata_forwarder_open_spans (\d+)$/m.exec(await forwarder.metrics())?.[1];
    // The call that asks is open as well.
    return Number(known) === Number(open) - 1;
  });
}
