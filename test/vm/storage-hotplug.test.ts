import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import t from "tap";
import { whyNoVm } from "../../scripts/vm-requirements.ts";
import { DeviceGuest } from "./device-guest.ts";

const mebibyte = 1024 * 1024;
const base = "/run/kata-containers/volumes";
const env = { PATH: "/usr/sbin:/sbin:/usr/bin:/bin" };
const tool = (file: string, ...args: string[]) =>
  execFileSync(file, args, { env, encoding: "utf8", stdio: "pipe" });

t.test("disks and memory are plugged into a running guest", { skip: whyNoVm() ?? false }, async (t) => {
  const dir = mkdtempSync(join(tmpdir(), "storage-"));
  t.teardown(() => rmSync(dir, { recursive: true }));
  const image = (name: string, mebibytes = 32): string => {
    const path = join(dir, name);
    writeFileSync(path, "");
    truncateSync(path, mebibytes * mebibyte);
    return path;
  };
  /** An ext4 image that holds `hello`. */
  const filled = (name: string, mebibytes?: number): string => {
    const folder = join(dir, `${name}.d`);
    mkdirSync(folder);
    writeFileSync(join(folder, "hello"), `hello from ${name}\n`);
    const path = image(name, mebibytes);
    tool("mkfs.ext4", "-q", "-F", "-d", folder, path);
    return path;
  };
  const onImage = (path: string, file: string): string => tool("debugfs", "-R", `cat ${file}`, path);

  await using guest = await DeviceGuest.boot(
    ["05", "06"],
    ["-m", "slots=4,maxmem=4G", "-machine", "nvdimm=on", "-device", "virtio-scsi-pci,id=scsi0,addr=9"],
  );
  const { calls } = guest;
  const disk = (id: string, path: string, slot: string) =>
    guest.plugDisk(id, path, { driver: "virtio-blk-pci", bus: `port${slot}`, addr: "0" });
  let count = 0;
  /** What a script says in a container that has each storage at /mnt, by the last name of its mount point. */
  const run = (script: string, storages: ReturnType<typeof volume>[] = []): Promise<string> => {
    count += 1;
    const mounts = storages.map(({ mount_point }) => ({
      destination: `/mnt/${mount_point.split("/").at(-1)}`,
      source: mount_point,
      type: "bind",
      options: ["rbind", "rw"],
    }));
    return guest.run(`container${count}`, script, { storages, mounts });
  };
  const volume = (driver: string, source: string, more: object = {}) => ({
    driver,
    source,
    fstype: "ext4",
    mount_point: `${base}/${driver}`,
    ...more,
  });

  await t.test(
    "a processor that is there comes online, one that never comes is told of (3.24)",
    async (t) => {
      // Without KVM the kernel takes the machine for a real one and no processor can be plugged, so one is switched off.
      const sysfs = volume("bind", "/sys", { mount_point: `${base}/sys`, options: ["rbind"] });
      const list = "cat /sys/devices/system/cpu/online";
      t.equal(await run(`echo 0 > /mnt/sys/devices/system/cpu/cpu1/online; ${list}`, [sysfs]), "0\n");
      await calls.OnlineCPUMem({ nb_cpus: 2, cpu_only: true });
      t.equal(await run(list), "0-1\n");
      await t.rejects(calls.OnlineCPUMem({ nb_cpus: 3, cpu_only: true }), {
        code: 13,
        message: "3 processors did not come online",
      });
    },
  );

  await t.test(
    "an empty virtio-blk disk gets a file system while its container waits (4.2, 4.5)",
    async (t) => {
      const path = image("blk");
      const fresh = volume("blk", "05/00", {
        driver_options: ["create_filesystem"],
        fs_group: { group_id: 4321, group_change_policy: 1 },
      });
      const running = run("stat -c %g:%a /mnt/blk; echo written > /mnt/blk/out; cat /mnt/blk/out", [fresh]);
      await disk("blk", path, "05");
      t.equal(await running, "4321:2775\nwritten\n");
      t.equal(onImage(path, "/out"), "written\n", "it is on the host's image");
      t.equal(await run("cat /mnt/blk/out", [fresh]), "written\n", "a second container finds it");
      const node = await run("cat /mnt/blk/out", [volume("blk", "/dev/vda")]);
      t.equal(node, "written\n", "by its node");
    },
  );

  await t.test("a SCSI disk behind a controller whose module came by itself (4.6)", async (t) => {
    const path = filled("scsi");
    const running = run("cat /mnt/scsi/hello; echo back > /mnt/scsi/out", [volume("scsi", "1:2")]);
    await guest.plugDisk("scsi", path, { driver: "scsi-hd", bus: "scsi0.0", "scsi-id": 1, lun: 2 });
    t.equal(await running, "hello from scsi\n");
    t.equal(onImage(path, "/out"), "back\n");
  });

  await t.test("persistent memory (4.2, nvdimm)", async (t) => {
    const path = filled("pmem", 128);
    const memory = { id: "pmem", "mem-path": path, size: 128 * mebibyte, share: true };
    await guest.add({ "qom-type": "memory-backend-file", ...memory });
    const running = run("cat /mnt/nvdimm/hello; echo back > /mnt/nvdimm/out", [
      volume("nvdimm", "/dev/pmem0"),
    ]);
    await guest.plug({ driver: "nvdimm", id: "nvdimm", memdev: "pmem" });
    t.equal(await running, "hello from pmem\n");
    t.equal(onImage(path, "/out"), "back\n");
  });

  await t.test("a disk with data is never made anew (4.2)", async (t) => {
    const path = image("swap");
    tool("mkswap", path);
    await disk("swap", path, "06");
    const wanted = volume("blk", "06/00", {
      mount_point: `${base}/never`,
      driver_options: ["create_filesystem"],
    });
    await t.rejects(run("true", [wanted]), { message: /not empty: it holds swap/ });
  });

  // agent-api 3.37
  await t.test("swap by PCI path and by name (3.30)", async (t) => {
    await calls.AddSwap({ PCIPath: [6, 0] });
    t.match(await run("cat /proc/swaps"), /^\/dev\/vdb\s+partition\s+32764/m);
    await t.rejects(calls.AddSwap({ PCIPath: [6, 0] }), { code: 13, message: /EBUSY/ });
    await t.rejects(calls.AddSwap({ PCIPath: [99] }), { code: 13, message: /invalid PCI path/ });
  });

  await t.test("huge pages of several volumes add up (4.2, ephemeral)", async (t) => {
    const pages = (name: string, mebibytes: number) =>
      volume("ephemeral", "nodev", {
        fstype: "hugetlbfs",
        mount_point: `${base}/${name}`,
        options: [`pagesize=${2 * mebibyte},size=${mebibytes * mebibyte}`],
      });
    const look = "cat /sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages; stat -f -c %t:%b /mnt/huge*";
    t.equal(await run(look, [pages("huge1", 4), pages("huge2", 6)]), "5\n958458f6:2\n958458f6:3\n");
    await t.rejects(run("true", [pages("huge3", 65_536)]), {
      message: /only \d+ of 32768 huge pages/,
    });
    t.equal(await run("cat /sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages"), "5\n");
  });

  await t.test("memory that is plugged comes online (3.24, 5.1)", async (t) => {
    const total = async () => Number(/MemTotal:\s+(\d+)/.exec(await run("cat /proc/meminfo"))?.[1]);
    const before = await total();
    await guest.add({ "qom-type": "memory-backend-memfd", id: "more", size: 256 * mebibyte, share: true });
    await guest.plug({ driver: "pc-dimm", id: "dimm", memdev: "more" });
    for (let after = before; after < before + 200 * 1024; after = await total()) {
      await calls.OnlineCPUMem({});
    }
    t.pass("the guest has it");
  });

  await t.test("rules of the packet filter, each family by itself (3.22)", async (t) => {
    const rule4 =
      "-A PREROUTING -d 192.168.103.153/32 -p tcp -m tcp --dport 80 -j DNAT --to-destination 10.0.0.1";
    const rule6 = "-A INPUT -s 2001:db8:100::1/128 -m conntrack --ctstate NEW -j DROP";
    const set = (is_ipv6: boolean, rules: string) => calls.SetIPTables({ is_ipv6, data: Buffer.from(rules) });
    await set(false, `*nat\n${rule4}\nCOMMIT\n`);
    await set(true, `*filter\n${rule6}\nCOMMIT\n`);
    const get = async (is_ipv6: boolean) =>
      Buffer.from((await calls.GetIPTables({ is_ipv6 })).data).toString();
    const [four, six] = [await get(false), await get(true)];
    t.ok(four.includes(rule4) && !four.includes(rule6), four);
    t.ok(six.includes(rule6) && !six.includes(rule4), six);
    await t.rejects(set(false, "\nthis\nis\njust junk\n"), {
      code: 13,
      message: /^iptables-restore ended/,
    });
  });

  await t.test("nothing of it is left mounted, and the guest ends", async (t) => {
    t.notMatch(await run("cat /proc/1/mountinfo"), /volumes\/(blk|scsi|nvdimm|never|huge3)/);
    await calls.DestroySandbox({});
    t.match(await guest.guest.exited, { code: 0 });
    t.notMatch(guest.guest.console(), /modules for new devices were not loaded|agent crashed/);
  });
});
