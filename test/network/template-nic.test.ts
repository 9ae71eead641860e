import { test } from "tap";
import { pciPath } from "../../src/devices/pci-path.ts";
import type { WantedInterface } from "../../src/network/network-interface.ts";
import type { Link } from "../../src/network/network-links.ts";
import { templateNic } from "../../src/network/template-nic.ts";

const lo: Link = {
  index: 1,
  name: "lo",
  hardwareAddress: "00:00:00:00:00:00",
  mtu: 65536,
  up: true,
  kind: "loopback",
  addresses: [{ family: 4, text: "127.0.0.1", length: 8, local: true }],
};
const nic: Link = { ...lo, index: 2, name: "eth0", hardwareAddress: "02:00:00:00:00:01", kind: "ether" };
const wanted: WantedInterface = {
  hardwareAddress: "02:00:00:00:00:02",
  name: "eth0",
  addresses: [],
  mtu: 0,
  noArp: false,
  pciPath: undefined,
};
const none = new Set<number>();

test("the only NIC with the wanted name and without an address is the one of the template", async (t) => {
  t.equal(templateNic([lo, nic], wanted, none), nic);
});

test("one of several NICs is not", async (t) => {
  t.equal(templateNic([lo, nic, { ...nic, index: 3, name: "eth1" }], wanted, none), undefined);
});

test("a NIC with another name is not", async (t) => {
  t.equal(templateNic([lo, nic], { ...wanted, name: "eth1" }, none), undefined);
});

test("a NIC with an address of the network is not", async (t) => {
  const address = { family: 4, text: "10.0.0.2", length: 24, local: false } as const;
  t.equal(templateNic([lo, { ...nic, addresses: [address] }], wanted, none), undefined);
});

test("a NIC that a request has configured is not", async (t) => {
  t.equal(templateNic([lo, nic], wanted, new Set([2])), undefined);
});

test("no NIC is when the request says where the wanted one is plugged in", async (t) => {
  t.equal(templateNic([lo, nic], { ...wanted, pciPath: pciPath("02") }, none), undefined);
});

test("the loopback never is", async (t) => {
  t.equal(templateNic([lo], { ...wanted, name: "lo" }, none), undefined);
});
