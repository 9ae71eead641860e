/** Devices that are plugged in for a container, and what it may do with others (agent-api 4.4 to 4.6, 5.6, 10.1). */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import t, { type Test } from "tap";
import { whyNoVm } from "../../scripts/vm-requirements.ts";
import { DeviceGuest } from "./device-guest.ts";

const skip = whyNoVm() ?? false;
/** As the host has it; nothing of it may be seen in the guest. */
const hostNode = { Path: "/dev/data", Type: "b", Major: 8n, Minor: 177n, FileMode: 0o600 };

function disk(guest: DeviceGuest, name: string): string {
  const path = join(guest.folder, name);
  const contents = Buffer.alloc(1 << 20);
  contents.write(`I am ${name}.`);
  writeFileSync(path, contents);
  return path;
}

t.test("devices of containers in a guest", { skip }, async (t) => {
  // The second one does not tell when a disk comes: the agent has to have it scanned.
  const scsi = ["-device", "virtio-scsi-pci,id=scsi0", "-device", "virtio-scsi-pci,id=quiet,hotplug=off"];
  await using guest = await DeviceGuest.boot(["05", "06"], scsi);
  await guest.calls.CreateSandbox({ sandbox_id: "devices" });
  await virtioDisk(t, guest);
  await scsiDisk(t, guest);
  await othersDenied(t, guest);
  await guest.calls.DestroySandbox({});
});

function virtioDisk(t: Test, guest: DeviceGuest): Promise<unknown> {
  return t.test(
    "a virtio disk that comes while its request waits is the container's, by its own path",
    async (t) => {
      const device = { id: "05/00", type: "blk", container_path: "/dev/data" };
      const started = guest.start("blk", "head -c 10 /dev/data; stat -c ' %t %T %a' /dev/data; ls /dev", {
        devices: [device],
        nodes: [hostNode],
      });
      await guest.plugDisk("first", disk(guest, "first"), { driver: "virtio-blk-pci", bus: "port05" });
      await started;
      const said = await guest.end("blk");
      t.match(said, /^I am first/);
      t.notMatch(said, / 8 b1 /, "with the number that it has in the guest");
      t.match(said, / fe 0 600/);
    },
  );
}

function scsiDisk(t: Test, guest: DeviceGuest): Promise<unknown> {
  return t.test("a SCSI disk is found by target and unit", async (t) => {
    const at = { driver: "scsi-hd", bus: "scsi0.0", channel: 0, "scsi-id": 1, lun: 3 };
    await guest.plugDisk("second", disk(guest, "second"), at);
    const device = { id: "1:3", type: "scsi", container_path: "/dev/data" };
    const said = await guest.run("scsi", "head -c 11 /dev/data", { devices: [device], nodes: [hostNode] });
    t.equal(said, "I am second");
    const unsaid = { driver: "scsi-hd", bus: "quiet.0", channel: 0, "scsi-id": 2, lun: 1 };
    await guest.plugDisk("third", disk(guest, "third"), unsaid);
    const scanned = { devices: [{ ...device, id: "2:1" }], nodes: [hostNode] };
    t.equal(
      await guest.run("scan", "head -c 10 /dev/data", scanned),
      "I am third",
      "also when only a scan finds it",
    );
  });
}

function othersDenied(t: Test, guest: DeviceGuest): Promise<unknown> {
  return t.test(
    "a node of another device can be made but not opened, but by a privileged container (10.1)",
    async (t) => {
      const script =
        "mknod /dev/stolen b 254 0 && head -c 10 /dev/stolen; head -c 4 /dev/zero | wc -c; echo . >/dev/null";
      const said = await guest.run("thief", script);
      t.match(said, /Operation not permitted/);
      t.match(said, /^4$/m, "while the harmless ones work");
      const update = "until [ -e /tmp/go ]; do sleep 0.1; done; head -c 10 /dev/stolen";
      await guest.start("later", `mknod /dev/stolen b 254 0; ${update}`);
      await guest.calls.UpdateContainer({ container_id: "later", resources: { Pids: { Limit: 50n } } });
      const process = { Args: ["busybox", "touch", "/tmp/go"], Env: ["PATH=/usr/bin"], Cwd: "/" };
      await guest.calls.ExecProcess({ container_id: "later", exec_id: "go", process });
      t.match(await guest.end("later"), /Operation not permitted/, "also after an update");
      const capabilities = ["CAP_MKNOD", "CAP_SYS_ADMIN", "CAP_DAC_OVERRIDE"];
      t.match(await guest.run("owner", script, { capabilities }), /^I am first/);
      t.notMatch(guest.guest.console(), /are not restricted/, "crun could load its program");
    },
  );
}
