import { test } from "tap";
import { parseUevent } from "../../src/sys/uevent.ts";

function datagram(...texts: string[]): Uint8Array {
  return Buffer.from(`${texts.join("\0")}\0`);
}

test("a device event is read by its keys, the heading is skipped", (t) => {
  const event = parseUevent(
    datagram(
      "remove@/wrong",
      "ACTION=add",
      "DEVPATH=/devices/x/block/vda",
      "SUBSYSTEM=block",
      "DEVNAME=vda",
      "MODALIAS=virtio:d00000002v00001AF4",
      "SEQNUM=7",
    ),
  );
  t.same(event, {
    action: "add",
    devpath: "/devices/x/block/vda",
    subsystem: "block",
    devname: "vda",
    interface: "",
    modalias: "virtio:d00000002v00001AF4",
    sequence: 7,
  });
  t.end();
});

test("a network interface has a name, a value may hold an equals sign", (t) => {
  const event = parseUevent(datagram("h", "ACTION=add", "DEVPATH=/a=b", "INTERFACE=eth0"));
  t.match(event, { interface: "eth0", devpath: "/a=b", sequence: 0 });
  t.end();
});

test("what lacks an action or a path is no event", (t) => {
  t.equal(parseUevent(datagram("add@/x", "ACTION=add")), undefined);
  t.equal(parseUevent(datagram("h", "DEVPATH=/x")), undefined);
  t.equal(parseUevent(new Uint8Array(0)), undefined);
  t.end();
});
