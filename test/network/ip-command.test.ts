import { test } from "tap";
import { ipBatch, ipLine, ipQuery } from "../../src/network/ip-command.ts";
import { enterPrivateNetwork, ip } from "../fakes/private-network.ts";

enterPrivateNetwork();

for (const word of ["", "a b", "a\n", "a\tb", "a\r", "a\0b", 'a"', "'a", "a\\", "#", "é"]) {
  test(`the word ${JSON.stringify(word)} gets into no command`, async (t) => {
    t.throws(() => ipLine("link", "show", word), { code: 13 });
  });
}

test("commands have their effect in order", async (t) => {
  t.teardown(() => ip("link", "delete", "dev", "second"));
  await ipBatch([
    ipLine("link", "add", "first", "type", "veth", "peer", "name", "peer"),
    ipLine("link", "set", "dev", "first", "name", "second", "mtu", 1400),
  ]);
  t.match(await ipQuery("link", "show", "dev", "second"), [{ ifname: "second", mtu: 1400 }]);
});

test("nothing after the first failure happens, and the error is the complaint", async (t) => {
  const lines = [
    ipLine("link", "set", "dev", "missing", "up"),
    ipLine("link", "add", "late", "type", "veth", "peer", "name", "peer"),
  ];
  await t.rejects(ipBatch(lines), {
    code: 13,
    message: 'ip ended with status 1: Cannot find device "missing"',
  });
  t.notMatch(ip("link"), /late/);
});

test("an ignored complaint costs only its own command", async (t) => {
  t.teardown(() => ip("link", "delete", "dev", "there"));
  const add = (name: string, peer: string) =>
    ipLine("link", "add", name, "type", "veth", "peer", "name", peer);
  const exists = /RTNETLINK answers: File exists/;
  await ipBatch([add("there", "p1"), add("there", "p2"), add("there", "p3"), add("more", "p4")], exists);
  t.match(ip("link"), /more@p4/);
  await t.rejects(ipBatch([add("there", "p1"), ipLine("link", "set", "dev", "missing", "up")], exists), {
    message: /missing/,
  });
  ip("link", "delete", "dev", "more");
});

test("a command that does not exist ends the batch", async (t) => {
  await t.rejects(ipBatch([ipLine("link", "nonsense")], /.*/), { code: 13, message: /nonsense/ });
});
