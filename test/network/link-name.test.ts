import { test } from "tap";
import { hardwareAddress, linkName } from "../../src/network/link-name.ts";

for (const name of ["eth0", "e", "net1.100", "br-1234567890ab", "x@y", "a+b_c=d", "if2"]) {
  test(`"${name}" can be the name of an interface`, async (t) => {
    t.equal(linkName(name), name);
  });
}

const refused = [
  "",
  ".",
  "..",
  "-n",
  "--",
  "a/b",
  "a b",
  "a\tb",
  "a\nlink",
  "a\0",
  "a:1",
  "eth%d",
  'a"b',
  "a'b",
  "a\\",
  "#a",
  "sixteen-letters-",
  "é",
  "a\u00a0b",
  "a\u2028b",
];
for (const name of refused) {
  test(`a name written ${encodeURIComponent(name)} is refused`, async (t) => {
    t.throws(() => linkName(name), { code: 13, message: "interface name is invalid" });
  });
}

test("a hardware address comes out in small letters with two digits each", async (t) => {
  t.equal(hardwareAddress("02:42:AC:11:00:0A"), "02:42:ac:11:00:0a");
  t.equal(hardwareAddress("2:4:a:B:0:1"), "02:04:0a:0b:00:01");
  for (const text of [
    "",
    "02:42:ac:11:00",
    "02:42:ac:11:00:0a:0b",
    "02-42-ac-11-00-0a",
    "0g:0:0:0:0:0",
    "2:4:a:b:0:1\n",
  ]) {
    t.throws(() => hardwareAddress(text), { code: 13 }, JSON.stringify(text));
  }
});
