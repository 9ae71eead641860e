import { existsSync, mkdirSync, readFileSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import t, { type Test } from "tap";
import { bootGuest, type GuestOptions } from "../../scripts/boot-guest.ts";
import { buildFolder, ownArchitecture } from "../../scripts/image/architecture.ts";
import { bootOptions } from "../../scripts/image/boot-options.ts";
import { asImageKind, imageFile, imageName } from "../../scripts/image/image-kind.ts";
import { whyNoVm } from "../../scripts/vm-requirements.ts";
import { runAgentctl } from "../fakes/fake-host.ts";
import { until } from "../fakes/until.ts";
import { runForwarder, temporaryFolder } from "../forwarder/running.ts";

type Line = Readonly<Record<string, unknown>>;

/** An emulated guest boots within it on a busy machine. */
const guestLimitMs = 400_000;

/** The lines that a forwarder has kept of a guest that was booted, served, and ended. */
async function keptLog(t: Test, options: GuestOptions): Promise<Line[]> {
  const words = "agent.log_vport=1025 agent.journal=true agent.trace=isolated";
  await using guest = await bootGuest({ ...options, append: `${words} ${options.append ?? ""}` });
  const folder = temporaryFolder(t);
  const [spans, logs, socket] = ["spans.jsonl", "logs", "vm/sb/clh.sock"].map((name) =>
    join(folder, name),
  ) as [string, string, string];
  const guestSocket = guest.listenPath(10240).replace(/_10240$/, "");
  const receiver = ["--listen", `unix://${guest.listenPath(10240)}`, "--file", spans];
  await runForwarder(t, ...receiver, "--watch", join(folder, "vm/{sandbox}/clh.sock"), "--guest-logs", logs);
  // The backend of this VM may not be asked for a port while the guest's driver comes up; spans tell that it is there.
  await until("spans", () => existsSync(spans) && readFileSync(spans).length > 0, guestLimitMs);
  mkdirSync(join(folder, "vm/sb"), { recursive: true });
  symlinkSync(guestSocket, socket);
  const file = join(logs, "sb.log.jsonl");
  const lines = (): Line[] => {
    const text = existsSync(file) ? readFileSync(file, "utf8") : "";
    return text
      .split("\n")
      .slice(0, -1)
      .map((line) => JSON.parse(line));
  };
  await until("its boot", () => lines().some(({ msg }) => msg === "listening"), guestLimitMs);
  const ended = await runAgentctl(["--addr", guest.address(1024), "--timeout", "300s", "destroy-sandbox"]);
  t.equal(ended.status, 0, ended.stderr);
  t.match(await guest.exited, { code: 0, signal: null });
  await until("its end", () => lines().some(({ msg }) => msg === "shutdown complete"), guestLimitMs);
  t.notMatch(guest.console(), /"msg":/, "the console has nothing of it");
  return lines();
}

const from = (lines: readonly Line[], name: string): Line[] =>
  lines.filter((line) => line["source"] === "journal" && line["name"] === name);

// agent-api 6.6
t.test(
  "the log and the journal of a guest are kept on the host, from the kernel's first line",
  { skip: whyNoVm() ?? false },
  async (t) => {
    const lines = await keptLog(t, {});
    t.match(from(lines, "kernel")[0], { subsystem: "kernel", msg: /Linux version/, sandbox: "sb" });
    t.ok(lines.some(({ source, msg }) => source === "agent" && msg === "agent starts"));
  },
);

const image = asImageKind(ownArchitecture(), { format: "ext4", init: "systemd" });
const imageThere = existsSync(
  imageFile(buildFolder(join(import.meta.dirname, "../.."), image.architecture), image),
);

t.test(
  "in a guest of systemd without a journal its lines come too",
  { skip: whyNoVm() ?? (imageThere ? false : `${imageName(image)} is not made`) },
  async (t) => {
    const lines = await keptLog(t, bootOptions(image));
    t.match(from(lines, "kernel")[0], { msg: /Linux version/ });
    const units = from(lines, "systemd");
    t.ok(units.some(({ msg, pid }) => /kata-containers\.target/.test(String(msg)) && pid === "1"));
  },
);
