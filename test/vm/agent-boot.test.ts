import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import t from "tap";
import { bootGuest, type Guest } from "../../scripts/boot-guest.ts";
import { whyNoVm } from "../../scripts/vm-requirements.ts";
import { hasPolicyEngine } from "../../src/sys/policy-engine.ts";
import { policyWith } from "../fakes/policies.ts";

const skip = whyNoVm() ?? false;
const agentctl = join(import.meta.dirname, "../../build/agentctl");

/** What agentctl prints, once the guest is up. */
async function ctl(guest: Guest, ...args: string[]): Promise<string> {
  await guest.listening();
  const given = ["--addr", guest.address(1024), "--wait", "300s", ...args];
  return (await promisify(execFile)(agentctl, given)).stdout;
}

t.test("the agent is PID 1, serves, and switches the guest off when asked", { skip }, async (t) => {
  await using guest = await bootGuest();
  t.match(await ctl(guest, "check"), /serving/i);
  t.match(await ctl(guest, "--grpc", "check"), /serving/i, "the same port speaks gRPC");
  t.match(JSON.parse(await ctl(guest, "--json", "details")), { agent_details: { init_daemon: true } });
  const checks = Array.from({ length: 8 }, () => ctl(guest, "check"));
  t.equal(
    (await Promise.all(checks)).filter((text) => /serving/i.test(text)).length,
    8,
    "many clients at once",
  );
  await ctl(guest, "destroy-sandbox");
  t.match(await guest.exited, { code: 0, signal: null });
  t.match(guest.console(), /shutdown complete[\s\S]*Power down/);
  t.notMatch(guest.console(), /Kernel panic|agent crashed/);
  t.notMatch(guest.console(), /boot step failed|module was not loaded/);
});

t.test("traced with nobody to take the spans it serves all the same, and still ends", { skip }, async (t) => {
  await using guest = await bootGuest({
    append: "agent.trace=isolated agent.log=loud agent.debug_console unknown_word --unknown",
  });
  t.match(await ctl(guest, "check"), /serving/i);
  await guest.seen(/\/ # /);
  t.pass("the shell of the serial console asks for a command (agent-api 6.5)");
  await ctl(guest, "destroy-sandbox");
  t.match(await guest.exited, { code: 0, signal: null });
  t.match(guest.console(), /shutdown complete[\s\S]*Power down/);
  t.notMatch(guest.console(), /Kernel panic|agent crashed/);
});

t.test("the guest's clock, memory, random numbers and policy are its own", { skip }, async (t) => {
  await using guest = await bootGuest();
  const call = (method: string, request: object) => ctl(guest, "call", method, JSON.stringify(request));
  await call("SetGuestDateTime", { Sec: "1000000000", Usec: "5" });
  await call("MemHotplugByProbe", {});
  await t.rejects(call("MemHotplugByProbe", { memHotplugProbeAddr: ["1"] }), { message: /probe memory: / });
  await call("ReseedRandomDev", { data: Buffer.from("fresh entropy of a clone").toString("base64") });
  await call("OnlineCPUMem", { nb_cpus: 1 });
  await t.rejects(call("ReseedRandomDev", {}), { message: /seed has a bad length/ });
  await t.rejects(call("OnlineCPUMem", { nb_cpus: 64 }), { message: /64 processors did not come online/ });
  await t.rejects(call("AddSwapPath", { path: "/dev/null" }), { message: /swap on: / });
  await t.rejects(call("AddSwapPath", { path: "../dev/null" }), { message: /clean absolute path/ });
  if (hasPolicyEngine()) {
    await call("SetPolicy", { policy: policyWith("default GuestDetailsRequest := false") });
    await t.rejects(ctl(guest, "details"), { message: /GuestDetailsRequest is blocked by policy/ });
  }
  await ctl(guest, "destroy-sandbox");
  t.match(await guest.exited, { code: 0, signal: null });
  // The log's own clock tells that the guest's was set.
  t.match(guest.console(), /"ts":"2001-09-09T01:4\d:[^\n]*shutdown complete/);
});

t.test(
  "a fault of the agent is told and switches the guest off, without a kernel panic",
  { skip },
  async (t) => {
    // The kernel hands what it does not know to the first process as environment: here, a fault as soon as the agent
    // has said what is to happen then.
    const listens = "process.listenerCount('uncaughtException')";
    const fault = `data:text/javascript,setInterval(()=>{if(${listens})throw(Error('made'))},100)`;
    await using guest = await bootGuest({ append: `NODE_OPTIONS=--import=${fault}` });
    t.match(await guest.exited, { code: 0, signal: null });
    t.match(guest.console(), /agent crashed[\s\S]*kata-agent: made[\s\S]*Power down/);
    t.notMatch(guest.console(), /Kernel panic/);
  },
);

t.test("a start that fails says why and switches the guest off", { skip }, async (t) => {
  await using guest = await bootGuest({
    append: "agent.server_addr=unix:///no/such/folder/agent.sock agent.log_vport=1025",
  });
  t.match(await guest.exited, { code: 0, signal: null });
  t.match(guest.console(), /"msg":"agent starts"[\s\S]*kata-agent: ENOENT[\s\S]*Power down/);
  t.notMatch(guest.console(), /Kernel panic/);
});
