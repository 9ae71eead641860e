import { existsSync } from "node:fs";
import { test } from "tap";
import { silentLog } from "../../src/base/log.ts";
import { restorePacketFilter, savePacketFilter } from "../../src/network/network-iptables.ts";
import { enterPrivateNetwork } from "../fakes/private-network.ts";

enterPrivateNetwork();

const programs = ["iptables-save", "ip6tables-save", "iptables-restore", "ip6tables-restore"];
const missing = programs.find((name) => !["/usr/sbin", "/sbin"].some((dir) => existsSync(`${dir}/${name}`)));
const needed = { skip: missing === undefined ? false : `${missing} is not on this machine` };

async function rules(family: 4 | 6): Promise<string> {
  return Buffer.from(await savePacketFilter(family, silentLog)).toString();
}

test("rules that were set can be read back, each family by itself", needed, async (t) => {
  const rule4 = "-A PREROUTING -d 192.168.103.153/32 -j DNAT --to-destination 192.168.188.153";
  const rule6 = "-A INPUT -s 2001:db8:100::1/128 -p tcp -j DROP";
  await restorePacketFilter(4, Buffer.from(`*nat\n${rule4}\n\nCOMMIT\n`));
  await restorePacketFilter(6, Buffer.from(`*filter\n${rule6}\n\nCOMMIT\n`));
  const [four, six] = [await rules(4), await rules(6)];
  t.ok(four.includes(rule4) && !four.includes(rule6));
  t.ok(six.includes(rule6) && !six.includes(rule4));
});

test("no rules at all are no error and change nothing", needed, async (t) => {
  await restorePacketFilter(4, Buffer.from("*filter\n-A INPUT -p udp -j DROP\nCOMMIT\n"));
  t.equal((await restorePacketFilter(4, new Uint8Array(0))).length, 0);
  t.match(await rules(4), /-A INPUT -p udp -j DROP/);
});

test("a table replaces the one that was there", needed, async (t) => {
  await restorePacketFilter(4, Buffer.from("*filter\n-A INPUT -p udp -j DROP\nCOMMIT\n"));
  await restorePacketFilter(4, Buffer.from("*filter\n-A INPUT -p tcp -j DROP\nCOMMIT\n"));
  t.match(await rules(4), /-p tcp/);
  t.notMatch(await rules(4), /-p udp/);
});

test("rules that make no sense are an error with the program's complaint", needed, async (t) => {
  const junk = restorePacketFilter(4, Buffer.from("\nthis\nis\njust junk\n"));
  await t.rejects(junk, { code: 13, message: /^iptables-restore ended with status \d+: .*line/ });
});
