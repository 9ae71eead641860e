import {
  closePassed,
  type PassedSource,
  type PassedStreams,
  type StreamPorts,
} from "../container/passed-streams.ts";

/**
 * Does `work` with the streams that the host has opened for the process of a request, if any. They belong to the
 * process once the work has ended well, and are closed after any failure, so that the host sees their end (agent-api
 * 3.3.2 step 1).
 */
export async function withPassedStreams<T>(
  source: PassedSource | undefined,
  ports: StreamPorts,
  work: (passed: PassedStreams | undefined) => Promise<T>,
): Promise<T> {
  const passed = await source?.take(ports);
  try {
    return await work(passed);
  } catch (error) {
    if (passed !== undefined) closePassed(passed);
    throw error;
  }
}
