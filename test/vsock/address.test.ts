import { test } from "tap";
import { Code } from "../../src/base/code.ts";
import { type Address, anyCid, formatAddress, parseAddress } from "../../src/vsock/address.ts";

const good: readonly (readonly [text: string, address: Address])[] = [
  ["unix:///run/x.sock", { kind: "unix", path: "/run/x.sock" }],
  ["unix://@name", { kind: "abstract", name: "name" }],
  ["vsock://-1:1024", { kind: "vsock", cid: anyCid, port: 1024 }],
  ["vsock://2:10240", { kind: "vsock", cid: 2, port: 10240 }],
  ["tcp://127.0.0.1:80", { kind: "tcp", host: "127.0.0.1", port: 80 }],
  ["tcp://[::1]:65535", { kind: "tcp", host: "::1", port: 65535 }],
  ["tcp://localhost:0", { kind: "tcp", host: "localhost", port: 0 }],
  ["hvsock:///run/v:m.sock:1024", { kind: "hybrid", path: "/run/v:m.sock", port: 1024 }],
];

for (const [text, address] of good) {
  test(`${text} is read and written back`, (t) => {
    t.same(parseAddress(text), address);
    t.equal(formatAddress(address), text);
    t.end();
  });
}

for (const [text, port] of [
  ["http://host:4318", 4318],
  ["http://host:4318/", 4318],
  ["http://host", 80],
] as const) {
  test(`${text} is TCP to port ${port}`, (t) => {
    t.same(parseAddress(text), { kind: "tcp", host: "host", port });
    t.end();
  });
}

for (const text of [
  "",
  "/run/x.sock",
  "unix://relative",
  "unix://",
  "unix://@",
  `unix:///${"x".repeat(107)}`,
  "unix:///a\0b",
  "vsock://2",
  "vsock://-2:1",
  "vsock://2:4294967296",
  "vsock://:1",
  "vsock://2:0x10",
  "tcp://host",
  "tcp://:80",
  "tcp://host:65536",
  "tcp://ho st:1",
  "hvsock:///run/x",
  "hvsock://run/x:1",
  "ftp://host:1",
]) {
  test(`${JSON.stringify(text)} is refused`, (t) => {
    t.throws(() => parseAddress(text), { code: Code.invalidArgument, message: /^invalid address/ });
    t.end();
  });
}
