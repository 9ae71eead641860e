import { test } from "tap";
import { guarded } from "../../src/agent/listen-from.ts";
import { silentLog } from "../../src/base/log.ts";
import type { Accepted } from "../../src/vsock/accepted.ts";

/** What becomes of a connection from `peer`: there is no VSOCK to try it with outside of a guest (test/vm). */
function fateOf(peer: string): string {
  let fate = "nothing";
  const accepted = {
    peer,
    close: () => {
      fate = "closed";
    },
  } as Accepted;
  guarded(() => {
    fate = "taken";
  }, silentLog)(accepted);
  return fate;
}

test("over VSOCK only the host is taken", async (t) => {
  t.equal(fateOf("vsock:2:1234"), "taken");
  for (const peer of [
    "vsock:1:1234",
    "vsock:0:1",
    "vsock:3:1234",
    "vsock:22:1",
    "vsock:4294967295:1",
    "vsock",
  ])
    t.equal(fateOf(peer), "closed", peer);
});

test("other sockets are not looked at", async (t) => {
  for (const peer of ["unix", "tcp:127.0.0.1:80"]) t.equal(fateOf(peer), "taken", peer);
});
