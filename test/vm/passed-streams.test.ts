import { readFileSync } from "node:fs";
import type { Socket } from "node:net";
import { buffer } from "node:stream/consumers";
import t from "tap";
import { bootGuest, type Guest } from "../../scripts/boot-guest.ts";
import { whyNoVm } from "../../scripts/vm-requirements.ts";
import { AgentServiceMethods } from "../../src/gen/methods.ts";
import { clientOf } from "../../src/rpc/client.ts";
import { createTtrpcClient } from "../../src/rpc/ttrpc/client.ts";
import { parseAddress } from "../../src/vsock/address.ts";
import { dial } from "../../src/vsock/dial.ts";
import { specOf } from "../fakes/container-spec.ts";

const listener = 1027;
const callsWithinMs = 60_000;
const rootfs = "/run/kata-containers/shared/containers/passing/rootfs";

/** A connection to the guest, and the port that the guest sees it come from, which the backend does not tell. */
async function open(guest: Guest, serial: number): Promise<{ socket: Socket; port: number }> {
  const socket = await guest.connect(listener);
  const waits = /"peer":"vsock:2:(\d+)"[^\n]*a stream of the host waits/g;
  await guest.seen(new RegExp(`(?:a stream of the host waits[^]*){${serial}}`));
  return { socket, port: Number([...guest.console().matchAll(waits)][serial - 1]?.[1]) };
}

t.test(
  "streams of the host are known by their VSOCK port (agent-api 6.7)",
  { skip: whyNoVm() ?? false },
  async (t) => {
    await using guest = await bootGuest({ append: `agent.log=debug agent.passfd_listener_port=${listener}` });
    await guest.listening();
    (await guest.connect(1024)).destroy();
    const stream = await dial(parseAddress(guest.address(1024)), { timeoutMs: callsWithinMs });
    await using client = createTtrpcClient(stream);
    const calls = clientOf(client, AgentServiceMethods);
    await calls.CreateSandbox({ sandbox_id: "passing", hostname: "guest" });
    const busybox = readFileSync("/usr/bin/busybox");
    for (let offset = 0; offset < busybox.length; offset += 1 << 20) {
      const data = busybox.subarray(offset, offset + (1 << 20));
      const file = { path: `${rootfs}/bin/busybox`, file_size: BigInt(busybox.length), file_mode: 0o100755 };
      await calls.CopyFile({ ...file, dir_mode: 0o755, offset: BigInt(offset), data });
    }
    const [input, output, errors] = [await open(guest, 1), await open(guest, 2), await open(guest, 3)];
    const script = "read word; echo got $word; echo bad >&2; exit 5";
    const ports = { stdin_port: input.port, stdout_port: output.port, stderr_port: errors.port };
    const container_id = "passing";
    const OCI = specOf(rootfs, { args: ["/bin/busybox", "sh", "-c", script] });
    await calls.CreateContainer({ container_id, OCI, ...ports });
    await calls.StartContainer({ container_id });
    const seen = Promise.all([output, errors].map(({ socket }) => buffer(socket)));
    input.socket.write("ping\n");
    t.equal((await calls.WaitProcess({ container_id })).status, 5);
    t.same((await seen).map(String), ["got ping\n", "bad\n"]);
    for (const { socket } of [input, output, errors]) socket.destroy();
    await calls.RemoveContainer({ container_id });
    await calls.DestroySandbox({});
    t.match(await guest.exited, { code: 0, signal: null });
  },
);
