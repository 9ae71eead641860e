import { type Test, test } from "tap";
import { ipAddress, ipPrefix } from "../../src/network/ip-address.ts";
import { makeRoutes, readRoutes, type WantedRoute } from "../../src/network/network-routes.ts";
import { enterPrivateNetwork, ip } from "../fakes/private-network.ts";

enterPrivateNetwork();

const linkScope = 253;

/** A link that is up with an address of each family; its routes go with it. */
function guest(t: Test) {
  ip("link", "add", "eth0", "type", "veth", "peer", "name", "end");
  t.teardown(() => ip("link", "delete", "dev", "eth0"));
  ip("address", "add", "10.1.0.2/24", "dev", "eth0");
  ip("address", "add", "fd00::2/64", "dev", "eth0", "nodad");
  ip("link", "set", "dev", "end", "up");
  ip("link", "set", "dev", "eth0", "up");
}

function wanted(destination: string, length: string, more: Partial<WantedRoute> = {}): WantedRoute {
  return {
    destination: ipPrefix(destination, length, "it"),
    gateway: undefined,
    device: "eth0",
    source: undefined,
    scope: 0,
    onlink: false,
    mtu: 0,
    ...more,
  };
}

/** The routes that the kernel has not made by itself. */
async function routes() {
  const own = /^(10\.1\.0\.0\/24|fd00::\/64|fe80::\/64)$/;
  return (await readRoutes()).filter(({ destination }) => !own.test(destination));
}

const gateway4 = { gateway: ipAddress("10.9.0.1", "it") };

test("routes without gateway come first, so that others may go by them", async (t) => {
  guest(t);
  await makeRoutes([wanted("0.0.0.0", "0", gateway4), wanted("10.9.0.1", "32", { scope: linkScope })]);
  const plain = { family: 4, device: "eth0", source: "", onlink: false, mtu: 0 };
  t.same(await routes(), [
    { ...plain, destination: "0.0.0.0/0", gateway: "10.9.0.1", scope: 0 },
    { ...plain, destination: "10.9.0.1/32", gateway: "", scope: linkScope },
  ]);
});

test("an IPv6 route, its gateway and its source", async (t) => {
  guest(t);
  const source = ipAddress("fd00::2", "it");
  await makeRoutes([wanted("::", "0", { gateway: ipAddress("fe80::1", "it"), source, mtu: 1400 })]);
  t.same(await routes(), [
    {
      family: 6,
      destination: "::/0",
      gateway: "fe80::1",
      device: "eth0",
      source: "fd00::2",
      scope: 0,
      onlink: false,
      mtu: 1400,
    },
  ]);
});

test("source, scope, MTU and onlink arrive at the kernel; the route is static in the main table", async (t) => {
  guest(t);
  const source = ipAddress("10.1.0.2", "it");
  await makeRoutes([
    wanted("10.5.0.0", "16", { source, scope: linkScope, mtu: 1300 }),
    wanted("10.6.0.0", "16", { ...gateway4, onlink: true }),
  ]);
  t.match(await routes(), [
    { destination: "10.5.0.0/16", source: "10.1.0.2", scope: linkScope, mtu: 1300, onlink: false },
    { destination: "10.6.0.0/16", gateway: "10.9.0.1", onlink: true },
  ]);
  t.match(
    ip("-details", "route", "show", "10.5.0.0/16"),
    /unicast 10\.5\.0\.0\/16 dev eth0 proto boot scope link/,
  );
});

test("a route to the same destination is replaced; others stay", async (t) => {
  guest(t);
  await makeRoutes([wanted("10.5.0.0", "16"), wanted("10.6.0.0", "16")]);
  await makeRoutes([wanted("10.5.0.0", "16", { mtu: 1300 })]);
  t.match(await routes(), [
    { destination: "10.5.0.0/16", mtu: 1300 },
    { destination: "10.6.0.0/16", mtu: 0 },
  ]);
});

test("an unknown device is an error before any route is made", async (t) => {
  guest(t);
  const all = [wanted("10.5.0.0", "16"), wanted("10.6.0.0", "16", { device: "eth1" })];
  await t.rejects(makeRoutes(all), { code: 13, message: /eth1/ });
  // `ip` takes a name like this for the index of a link.
  await t.rejects(makeRoutes([wanted("10.5.0.0", "16", { device: "if1" })]), { code: 13 });
  t.same(await routes(), []);
});

test("a route that the kernel refuses is an error with its reason", async (t) => {
  guest(t);
  await t.rejects(makeRoutes([wanted("0.0.0.0", "0", gateway4)]), { code: 13, message: /invalid gateway/ });
});

test("a route over several gateways is told once for each", async (t) => {
  guest(t);
  ip("route", "add", "10.7.0.0/16", "nexthop", "via", "10.1.0.7", "nexthop", "via", "10.1.0.8");
  t.match(await routes(), [
    { destination: "10.7.0.0/16", gateway: "10.1.0.7", device: "eth0" },
    { destination: "10.7.0.0/16", gateway: "10.1.0.8", device: "eth0" },
  ]);
});

test("a route of IPv4 by a gateway of IPv6, and one that leads nowhere, are told", async (t) => {
  guest(t);
  ip("route", "add", "10.7.0.0/16", "via", "inet6", "fe80::1", "dev", "eth0");
  ip("route", "add", "unreachable", "10.8.0.0/16");
  t.teardown(() => ip("route", "delete", "unreachable", "10.8.0.0/16"));
  t.match(await routes(), [
    { destination: "10.7.0.0/16", gateway: "fe80::1", device: "eth0" },
    { destination: "10.8.0.0/16", gateway: "", device: "" },
  ]);
});

test("routes of other tables are not told", async (t) => {
  guest(t);
  ip("route", "add", "10.7.0.0/16", "dev", "eth0", "table", "77");
  t.same(await routes(), []);
});
