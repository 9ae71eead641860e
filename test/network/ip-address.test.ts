import { isIP } from "node:net";
import { test } from "tap";
import { cidr, ipAddress, ipPrefix } from "../../src/network/ip-address.ts";

const sound = [
  "0.0.0.0",
  "10.0.0.1",
  "255.255.255.255",
  "169.254.1.1",
  "::",
  "::1",
  "1::",
  "fe80::1",
  "FD00:0:0::A",
  "1:2:3:4:5:6:7:8",
  "1:2:3:4:5:6:7::",
  "::2:3:4:5:6:7:8",
  "::ffff:10.0.0.1",
  "1:2:3:4:5:6:1.2.3.4",
];

const unsound = [
  "",
  " ",
  "10.0.0",
  "10.0.0.1.2",
  "256.0.0.1",
  "01.2.3.4",
  "10.0.0.1 ",
  " 10.0.0.1",
  "10.0.0.1\n",
  "10.0.0.1/24",
  "0x7f.0.0.1",
  "1e1.0.0.1",
  "-1.0.0.0",
  "١.0.0.1",
  ":",
  ":::",
  ":1",
  "1:",
  "::1::",
  "1::2::3",
  "12345::",
  "g::1",
  "fe80::1%eth0",
  "1:2:3:4:5:6:7",
  "::\n",
  "1:2:3:4:5:6:7:8:9",
  "1:2:3:4:5:6:7::8",
  "1:2:3:4:5:6:7:1.2.3.4",
  "::1.2.3",
  "1.2.3.4::",
  "::1.2.3.4:5",
  "10.0.0.1\nlink delete dev eth0",
  "default",
  "any",
  "dev",
  "localhost",
];

for (const text of sound) {
  test(`"${text}" is an address`, async (t) => {
    t.same(ipAddress(text, "it"), { family: isIP(text), text });
  });
}

for (const text of unsound) {
  test(`${JSON.stringify(text)} is no address`, async (t) => {
    t.equal(isIP(text.replace(/%.*/, "")) === 0 || text.includes("%"), true, "nor is it for Node");
    t.throws(() => ipAddress(text, "it"), { code: 13, message: "it is not an IP address" });
  });
}

test("our check agrees with that of Node on addresses made at random", async (t) => {
  const pieces = ["::", ":", "0", "1", "abcd", "fffff", "1.2.3.4", "255", ".", "01"];
  let seed = 1;
  for (let round = 0; round < 20_000; round++) {
    let text = "";
    for (let count = 0; count < 1 + (round % 16); count++) {
      seed = (seed * 48271) % 0x7fffffff;
      text += pieces[seed % pieces.length];
    }
    let family = 0;
    try {
      ({ family } = ipAddress(text, "it"));
    } catch {
      family = 0;
    }
    if (family !== isIP(text)) t.equal(family, isIP(text), text);
  }
});

test("a prefix length is a plain decimal number within the address", async (t) => {
  t.same(ipPrefix("10.0.0.1", "24", "it"), { family: 4, text: "10.0.0.1", length: 24 });
  t.same(ipPrefix("10.0.0.1", "0", "it"), { family: 4, text: "10.0.0.1", length: 0 });
  t.same(ipPrefix("fd00::1", "128", "it"), { family: 6, text: "fd00::1", length: 128 });
  for (const length of ["", "33", "-1", "+1", "024", "0x18", "24 ", "24\n", "2.4", "255.255.255.0", "1e1"]) {
    t.throws(() => ipPrefix("10.0.0.1", length, "it"), { code: 13 }, JSON.stringify(length));
  }
  t.throws(() => ipPrefix("fd00::1", "129", "it"), { code: 13 });
});

test("a network text without length is one host", async (t) => {
  t.same(cidr("10.1.0.0/16", "it"), { family: 4, text: "10.1.0.0", length: 16 });
  t.same(cidr("10.1.0.0", "it"), { family: 4, text: "10.1.0.0", length: 32 });
  t.same(cidr("fd00::", "it"), { family: 6, text: "fd00::", length: 128 });
  t.throws(() => cidr("10.1.0.0/16/16", "it"), { code: 13 });
  t.throws(() => cidr("/16", "it"), { code: 13 });
});
