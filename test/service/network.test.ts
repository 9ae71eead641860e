import { type Test, test } from "tap";
import { silentLog } from "../../src/base/log.ts";
import { Uevents } from "../../src/devices/uevents.ts";
import { AgentServiceMethods } from "../../src/gen/methods.ts";
import { Network } from "../../src/network/network.ts";
import { clientOf } from "../../src/rpc/client.ts";
import { createTtrpcClient } from "../../src/rpc/ttrpc/client.ts";
import { networkCalls } from "../../src/service/network.ts";
import { dial } from "../../src/vsock/dial.ts";
import { enterPrivateNetwork, ip } from "../fakes/private-network.ts";
import { handlers, ttrpcServer } from "../fakes/rpc-server.ts";

enterPrivateNetwork();

const internal = 13;
const invalidArgument = 3;
const hwAddr = "02:00:00:00:00:0A";
const hostile = "eth0\nlink delete dev eth0";

/** The network calls over a real connection, with one NIC that is not configured. */
async function guest(t: Test) {
  const network = new Network({ log: silentLog, uevents: new Uevents({ log: silentLog, timeoutMs: 10 }) });
  const { address } = await ttrpcServer(t, handlers(networkCalls({ network, log: silentLog })));
  const client = createTtrpcClient(await dial(address, { timeoutMs: 60_000 }));
  t.teardown(() => client.close());
  ip("link", "add", "veth7", "address", hwAddr, "type", "veth", "peer", "name", "end");
  ip("link", "set", "dev", "end", "up");
  t.teardown(() => ip("link", "delete", "dev", "end"));
  return clientOf(client, AgentServiceMethods);
}

const eth0 = {
  name: "eth0",
  hwAddr,
  mtu: 1400n,
  IPAddresses: [
    { family: 0, address: "10.1.0.2", mask: "24" },
    { family: 1, address: "fd00::2", mask: "64" },
  ],
};
const defaultRoute = { gateway: "10.1.0.1", device: "eth0" };

test("the calls of a pod start give it a network, and the lists tell it", async (t) => {
  const agent = await guest(t);
  const request = { ...eth0, device: "eth0", type: "veth", raw_flags: 0, devicePath: "" };
  t.same(await agent.UpdateInterface({ interface: request }), request, "the answer is what was asked for");
  const routes = await agent.UpdateRoutes({
    routes: {
      Routes: [
        { ...defaultRoute, family: 0 },
        { dest: "10.5.0.0/16", device: "eth0", source: "10.1.0.2/32", scope: 253, mtu: 1300, family: 0 },
        { dest: "", gateway: "fe80::1", device: "eth0", family: 1, flags: 4 },
      ],
    },
  });
  const neighbor = {
    toIPAddress: { address: "10.1.0.1" },
    device: "eth0",
    lladdr: "02:00:00:00:00:01",
    state: 128,
  };
  await agent.AddARPNeighbors({ neighbors: { ARPNeighbors: [neighbor] } });

  const { Interfaces } = await agent.ListInterfaces({});
  const found = Interfaces.find(({ name }) => name === "eth0");
  t.match(found, { name: "eth0", hwAddr, mtu: 1400n });
  t.same(
    found?.IPAddresses.slice(0, 2),
    eth0.IPAddresses,
    "families are right, the mask is the prefix length",
  );
  t.same(await agent.ListRoutes({}), routes, "UpdateRoutes answers all routes");
  const plain = { gateway: "", source: "", scope: 0, family: 0, flags: 0, mtu: 0, device: "eth0" };
  t.same(
    routes.Routes.filter(({ dest }) => ["0.0.0.0/0", "10.5.0.0/16", "::/0"].includes(dest)),
    [
      { ...plain, dest: "0.0.0.0/0", gateway: "10.1.0.1" },
      { ...plain, dest: "10.5.0.0/16", source: "10.1.0.2", scope: 253, mtu: 1300 },
      { ...plain, dest: "::/0", gateway: "fe80::1", family: 1, flags: 4 },
    ],
  );
  t.match(ip("neighbour", "show", "dev", "eth0"), /10\.1\.0\.1 lladdr 02:00:00:00:00:01 PERMANENT/);
});

// agent-api 3.37
test("a request repeated after a time-out has the same result", async (t) => {
  const agent = await guest(t);
  const ask = async () => {
    await agent.UpdateInterface({ interface: eth0 });
    return agent.UpdateRoutes({ routes: { Routes: [defaultRoute] } });
  };
  const { Routes } = await ask();
  t.same(
    (await ask()).Routes.filter(({ family }) => family === 0),
    Routes.filter(({ family }) => family === 0),
  );
});

test("the hardware address is compared without regard to capitals", async (t) => {
  const agent = await guest(t);
  await agent.UpdateInterface({ interface: { ...eth0, hwAddr: hwAddr.toLowerCase() } });
  await agent.UpdateInterface({ interface: { ...eth0, hwAddr: hwAddr.toUpperCase() } });
});

// agent-api 0.4
test("a NIC that is not there is Link not found, by hardware address as by PCI path", async (t) => {
  const agent = await guest(t);
  const expected = { code: internal, message: /Link not found/ };
  await t.rejects(agent.UpdateInterface({ interface: { ...eth0, hwAddr: "02:00:00:00:00:99" } }), expected);
  // No bus of any machine has so many devices behind each other.
  await t.rejects(agent.UpdateInterface({ interface: { ...eth0, devicePath: "1f/1f/1f/1f" } }), expected);
});

// agent-api 0.3
test("a request without its sub-message is INVALID_ARGUMENT", async (t) => {
  const agent = await guest(t);
  await t.rejects(agent.UpdateInterface({}), { code: invalidArgument });
  await t.rejects(agent.UpdateRoutes({}), { code: invalidArgument });
  await t.rejects(agent.AddARPNeighbors({}), { code: invalidArgument });
});

test("empty lists of routes and neighbours are fine", async (t) => {
  const agent = await guest(t);
  await agent.UpdateRoutes({ routes: {} });
  await agent.AddARPNeighbors({ neighbors: {} });
});

test("an interface with an unsound field is refused, and nothing has changed", async (t) => {
  const agent = await guest(t);
  const before = ip("address");
  for (const bad of [
    { name: hostile },
    { name: "" },
    { name: "../x" },
    { name: "-batch" },
    { name: "eth%d" },
    { name: "sixteen-letters-" },
    { hwAddr: "" },
    { hwAddr: "02:00:00:00:00:0A\nlink set lo down" },
    { hwAddr: "02:00:00:00:00" },
    { mtu: 1n << 32n },
    { mtu: 0xffff_ffff_ffff_ffffn },
    { devicePath: "../../class" },
    { devicePath: "02/" },
    { IPAddresses: [{ address: "10.1.0.2", mask: "" }] },
    { IPAddresses: [{ address: "10.1.0.2", mask: "33" }] },
    { IPAddresses: [{ address: "10.1.0.2", mask: "24 dev lo" }] },
    { IPAddresses: [{ address: "10.1.0.2/8", mask: "24" }] },
    { IPAddresses: [{ address: "", mask: "24" }] },
    { IPAddresses: [{ address: "fe80::1%lo", mask: "64" }] },
    { IPAddresses: [...eth0.IPAddresses, { address: `10.1.0.3\n${hostile}`, mask: "24" }] },
  ]) {
    const asked = agent.UpdateInterface({ interface: { ...eth0, ...bad } });
    await t.rejects(asked, { code: internal, message: /^update interface: / });
    await asked.catch(({ message }) => t.notMatch(message, /\n|Link not found/, "final, and on one line"));
  }
  t.equal(ip("address"), before);
});

test("a route with an unsound field is refused, and none is made", async (t) => {
  const agent = await guest(t);
  await agent.UpdateInterface({ interface: eth0 });
  const before = ip("route");
  const good = { dest: "10.5.0.0/16", device: "eth0" };
  for (const bad of [
    { device: hostile },
    { device: "" },
    { device: "eth1" },
    { device: "if2" },
    { dest: "10.6.0.0/16 dev lo" },
    { dest: "10.6.0.0/33" },
    { dest: "default" },
    { dest: "fd01::/64" },
    { dest: "10.6.0.0/16", family: 1 },
    { gateway: "10.1.0.1\n" },
    { gateway: "10.1.0.1/24" },
    { gateway: "fe80::1" },
    { source: "eth0" },
    { source: "fd00::2" },
    { scope: 256 },
    { scope: 0xffffffff },
  ]) {
    const asked = agent.UpdateRoutes({
      routes: { Routes: [good, { ...good, dest: "10.6.0.0/16", ...bad }] },
    });
    await t.rejects(asked, { code: internal, message: /^update routes: / }, JSON.stringify(bad));
  }
  t.equal(ip("route"), before);
});

test("a neighbour with an unsound field is refused, and none is made", async (t) => {
  const agent = await guest(t);
  await agent.UpdateInterface({ interface: eth0 });
  const good = { toIPAddress: { address: "10.1.0.9" }, device: "eth0", lladdr: "02:00:00:00:00:09" };
  for (const bad of [
    { toIPAddress: undefined },
    { toIPAddress: { address: "" } },
    { toIPAddress: { address: "10.1.0.9 dev lo" } },
    { toIPAddress: { address: "10.1.0.0/24" } },
    { device: hostile },
    { device: "eth1" },
    { lladdr: "02:00:00:00:00:09 nud none" },
    { state: -1 },
    { state: 3 },
    { state: 0x100 },
  ]) {
    const asked = agent.AddARPNeighbors({ neighbors: { ARPNeighbors: [good, { ...good, ...bad }] } });
    await t.rejects(asked, { code: internal, message: /^add ARP neighbors: / }, JSON.stringify(bad));
  }
  t.equal(ip("neighbour", "show", "to", "10.1.0.9"), "");
});

test("a link with a strange name, which a container may make, spoils nothing", async (t) => {
  const agent = await guest(t);
  ip("link", "add", "a'b\"c\\d", "type", "veth", "peer", "name", "#e");
  t.teardown(() => ip("link", "delete", "dev", "#e"));
  await agent.UpdateInterface({ interface: eth0 });
  await agent.UpdateRoutes({ routes: { Routes: [defaultRoute] } });
  const { Interfaces } = await agent.ListInterfaces({});
  t.ok(Interfaces.some(({ name }) => name === "a'b\"c\\d"));
});
