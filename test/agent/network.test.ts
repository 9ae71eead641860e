import { execFileSync } from "node:child_process";
import t, { test } from "tap";
import { refusal, startAgent } from "../fakes/real-agent.ts";

const agent = await startAgent();
t.teardown(() => agent[Symbol.asyncDispose]());
const { calls } = agent;

const eth0 = {
  name: "eth0",
  hwAddr: "02:00:00:00:00:0a",
  mtu: 1400n,
  IPAddresses: [
    { family: 0, address: "10.1.0.2", mask: "24" },
    { family: 1, address: "fd00::2", mask: "64" },
  ],
};
const unplugged = { ...eth0, hwAddr: "02:00:00:00:00:0b", devicePath: "1f/1f/1f/1f" };

/** Runs `ip` in the network namespace of the agent. */
function ip(...args: readonly string[]): string {
  const { PATH } = process.env;
  const user = process.getuid?.() === 0 ? [] : ["--user", "--preserve-credentials"];
  const enter = ["--target", String(agent.pid), ...user, "--net", "--", "ip", ...args];
  return execFileSync("nsenter", enter, { encoding: "utf8", env: { PATH: `${PATH}:/usr/sbin:/sbin` } });
}

test("a pod gets its network before its sandbox, from a NIC that comes late, and its containers see it", async (t) => {
  const early = await refusal(calls.UpdateInterface({ interface: eth0 }));
  t.match(early, { code: 13, message: /Link not found/ });
  ip("link", "add", "veth7", "address", eth0.hwAddr, "type", "veth", "peer", "name", "end");
  ip("link", "set", "dev", "end", "up");
  t.match(await calls.UpdateInterface({ interface: eth0 }), eth0);
  const Routes = [
    { gateway: "10.1.0.1", device: "eth0" },
    { gateway: "fe80::1", device: "eth0", family: 1 },
  ];
  await calls.UpdateRoutes({ routes: { Routes } });
  const neighbor = {
    toIPAddress: { address: "10.1.0.1" },
    device: "eth0",
    lladdr: "02:00:00:00:00:01",
    state: 128,
  };
  await calls.AddARPNeighbors({ neighbors: { ARPNeighbors: [neighbor] } });
  await calls.CreateSandbox({ hostname: "pod", sandbox_id: "pod", dns: ["nameserver 10.1.0.1"] });

  const id = await agent.run("look", { args: ["sh", "-c", "cat /proc/net/route /proc/net/arp"] });
  const seen = (await agent.readAll(id)).toString();
  await agent.remove(id);
  t.match(seen, /eth0\t00000000\t0100010A/, "the default route by 10.1.0.1");
  t.match(seen, /10\.1\.0\.1 .* 02:00:00:00:00:01 .* eth0/);
});

test("who waits for a NIC holds nobody up, and hears of it when the time is over", async (t) => {
  const order: string[] = [];
  const late = refusal(calls.UpdateInterface({ interface: unplugged })).finally(() =>
    order.push("unplugged"),
  );
  await calls.ListInterfaces({}).then(() => order.push("list"));
  await calls.UpdateInterface({ interface: eth0 }).then(() => order.push("plugged"));
  await calls.Check({}).then(() => order.push("check"));
  t.match(await late, { code: 13, message: /Link not found/ });
  t.same(order, ["list", "plugged", "check", "unplugged"]);
});

test("a wait whose caller has no more time leaves no socket behind", async (t) => {
  const before = agent.traces().descriptors;
  const waits = Array.from({ length: 20 }, () =>
    refusal(calls.UpdateInterface({ interface: unplugged }, { timeoutMs: 50 })),
  );
  for (const { code } of await Promise.all(waits)) t.equal(code, 4);
  const until = performance.now() + 120_000;
  while (agent.traces().descriptors.length > before.length && performance.now() < until)
    await calls.Check({});
  t.same(agent.traces().descriptors, before);
});

test("a hundred requests leave no process and no descriptor", async (t) => {
  const before = agent.traces();
  for (let round = 0; round < 25; round++) {
    await Promise.all([
      calls.UpdateInterface({ interface: eth0 }),
      calls.UpdateRoutes({ routes: { Routes: [{ dest: "10.5.0.0/16", device: "eth0" }] } }),
      calls.ListRoutes({}),
      refusal(calls.UpdateRoutes({ routes: { Routes: [{ dest: "10.5.0.0/16", device: "eth9" }] } })),
    ]);
  }
  t.same(agent.traces(), before);
});
