import { type Test, test } from "tap";
import { ipAddress } from "../../src/network/ip-address.ts";
import { addNeighbors, type WantedNeighbor } from "../../src/network/network-neighbors.ts";
import { enterPrivateNetwork, ip } from "../fakes/private-network.ts";

enterPrivateNetwork();

const mac = "02:00:00:00:00:09";
const permanent = 0x80;
const stale = 0x04;

function guest(t: Test) {
  ip("link", "add", "eth0", "type", "veth", "peer", "name", "end");
  t.teardown(() => ip("link", "delete", "dev", "eth0"));
  ip("link", "set", "dev", "end", "up");
  ip("link", "set", "dev", "eth0", "up");
}

function wanted(address: string, more: Partial<WantedNeighbor> = {}): WantedNeighbor {
  const checked = ipAddress(address, "it");
  return { address: checked, device: "eth0", hardwareAddress: mac, state: permanent, flags: 0, ...more };
}

function neighbors(...options: readonly string[]): unknown {
  return JSON.parse(ip("-json", "neighbour", "show", ...options, "dev", "eth0", "nud", "all"));
}

test("neighbours of both families are there for good", async (t) => {
  guest(t);
  await addNeighbors([wanted("10.1.0.9"), wanted("fd00::9")]);
  t.match(neighbors("to", "10.1.0.9"), [{ dst: "10.1.0.9", lladdr: mac, state: ["PERMANENT"] }]);
  t.match(neighbors("to", "fd00::9"), [{ dst: "fd00::9", lladdr: mac, state: ["PERMANENT"] }]);
});

test("a neighbour with the same address is replaced", async (t) => {
  guest(t);
  await addNeighbors([wanted("10.1.0.9")]);
  await addNeighbors([wanted("10.1.0.9", { hardwareAddress: "02:00:00:00:00:0a", state: stale })]);
  t.match(neighbors("to", "10.1.0.9"), [{ lladdr: "02:00:00:00:00:0a", state: ["STALE"] }]);
});

test("flags arrive at the kernel: router, learned elsewhere, proxy", async (t) => {
  guest(t);
  await addNeighbors([
    wanted("fd00::9", { flags: 0x80 }),
    wanted("10.1.0.9", { flags: 0x10 }),
    wanted("10.1.0.10", { flags: 0x08, hardwareAddress: undefined }),
  ]);
  t.match(neighbors("to", "fd00::9"), [{ router: null }]);
  t.match(ip("neighbour", "show", "to", "10.1.0.9"), /extern_learn/);
  t.match(ip("neighbour", "show", "proxy"), /10\.1\.0\.10 dev eth0 +proxy/);
});

test("the first that fails ends it; those before it stay", async (t) => {
  guest(t);
  // Too small for IPv6, which the link then has not.
  ip("link", "set", "dev", "eth0", "mtu", "1000");
  const all = [wanted("10.1.0.9"), wanted("fd00::9"), wanted("10.1.0.11")];
  await t.rejects(addNeighbors(all), { code: 13 });
  t.match(neighbors("to", "10.1.0.9"), [{ lladdr: mac }]);
  t.same(neighbors("to", "10.1.0.11"), []);
});

test("an unknown device is an error before any neighbour is made", async (t) => {
  guest(t);
  const all = [wanted("10.1.0.9"), wanted("10.1.0.10", { device: "eth1" })];
  await t.rejects(addNeighbors(all), { code: 13, message: /eth1/ });
  t.same(neighbors("to", "10.1.0.9"), []);
});
