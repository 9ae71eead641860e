import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  truncateSync,
  unlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { type Test, test } from "tap";
import { lookAtConfig } from "../../../src/ctl/doctor-words.ts";
import { type Ended, runAgentctl } from "../../fakes/fake-host.ts";

const vectors = join(import.meta.dirname, "../../vectors/kata-config");
const vector = (name: string): string => readFileSync(join(vectors, name), "utf8");

type Place = {
  readonly folder: string;
  readonly config: string;
  readonly guest: string;
  text(): string;
  install(...args: string[]): Promise<Ended>;
  uninstall(...args: string[]): Promise<Ended>;
};

/** A folder with this configuration and something that a guest could boot from. */
function place(t: Test, text: string): Place {
  const folder = t.testdir({ "configuration.toml": text, "guest.img": "" });
  const config = join(folder, "configuration.toml");
  return {
    folder,
    config,
    guest: join(folder, "guest.img"),
    text: () => readFileSync(config, "utf8"),
    install: (...args) => runAgentctl(["install", "--kata-config", config, ...args]),
    uninstall: (...args) => runAgentctl(["uninstall", "--kata-config", config, ...args]),
  };
}

const goWishes = (guest: string) => [
  ...["--initrd", guest, "--trace", "collated", "--kernel-param", "agent.log=debug"],
];

test("a configuration of the Go runtime is changed in place, and brought back to the byte", async (t) => {
  const { config, guest, text, install, uninstall } = place(t, vector("go.toml"));
  chmodSync(config, 0o640);
  const done = await install(...goWishes(guest));
  t.match(done, { status: 0, stderr: "" });
  t.equal(text(), vector("go-installed.toml").replace("INITRD", guest));
  t.equal(statSync(config).mode & 0o777, 0o640);
  t.match(done.stdout, `written: ${config}; before it: ${config}.before-agentctl\nok: `);
  t.match(done.stdout, /agentctl --addr ADDRESS doctor --config/);
  t.equal(readFileSync(`${config}.before-agentctl`, "utf8"), vector("go.toml"));
  t.match(await lookAtConfig(config), { state: "ok" }, "the doctor is content");
  t.match(await uninstall(), { status: 0, stdout: /is as it was before/ });
  t.equal(text(), vector("go.toml"));
});

test("a configuration of runtime-rs gets an image, for the hypervisor that it names", async (t) => {
  const { config, folder, guest, text, install, uninstall } = place(t, vector("runtime-rs.toml"));
  t.match(await install("--image", guest, "--rootfs-type", "erofs"), { status: 0 });
  t.equal(text(), vector("runtime-rs-installed.toml").replace("IMAGE", guest));
  t.match(await lookAtConfig(config), { state: "ok" });
  t.match(await uninstall(), { status: 0 });
  t.equal(text(), vector("runtime-rs.toml"));
  t.same(readdirSync(folder).sort(), ["configuration.toml", "guest.img"], "nothing else is left");
});

test("what is installed already is not changed again", async (t) => {
  const { guest, text, install, uninstall } = place(t, vector("go.toml"));
  await install(...goWishes(guest));
  const once = text();
  t.match(await install(...goWishes(guest)), { status: 0, stdout: /nothing to change/ });
  t.equal(text(), once);
  t.match(await install("--trace", "isolated"), { status: 0, stdout: /agent.trace=isolated/ });
  t.match(text(), "agent.log=debug agent.trace=isolated");
  await uninstall();
  t.equal(text(), vector("go.toml"), "the first backup is the one that counts");
});

test("--print changes nothing", async (t) => {
  const { folder, text, install } = place(t, vector("go.toml"));
  const { status, stdout } = await install("--print");
  t.equal(status, 0);
  t.match(stdout, /^\+ agent\.kata\.enable_tracing = true$/m);
  t.match(stdout, /^\+ runtime\.jaeger_endpoint = "http:\/\/127\.0\.0\.1:4318\/api\/traces"$/m);
  t.notMatch(stdout, /written/);
  t.equal(text(), vector("go.toml"));
  t.same(readdirSync(folder).sort(), ["configuration.toml", "guest.img"]);
});

test("--json tells each change", async (t) => {
  const { config, install } = place(t, vector("go.toml"));
  const told = JSON.parse((await install("--json", "--no-jaeger")).stdout);
  t.match(told, {
    config,
    isWritten: true,
    changes: [{ table: "agent.kata", key: "enable_tracing", after: true }],
  });
});

test("a drop-in leaves the configuration alone, and the doctor sees it", async (t) => {
  const { config, folder, guest, text, install, uninstall } = place(t, vector("go.toml"));
  mkdirSync(join(folder, "config.d"));
  writeFileSync(join(folder, "config.d/10-others.toml"), '[hypervisor.qemu]\nkernel_params = "panic=1"\n');
  const file = join(folder, "config.d/90-agentctl.toml");
  t.match(await install("--drop-in", ...goWishes(guest)), { status: 0, stdout: `written: ${file}` });
  t.equal(text(), vector("go.toml"));
  t.equal(
    readFileSync(file, "utf8"),
    [
      "# Written by agentctl install; agentctl uninstall takes it away.\n",
      '[hypervisor.qemu]\nimage = ""',
      `initrd = ${JSON.stringify(guest)}`,
      'kernel_params = "panic=1 agent.trace=collated agent.log=debug"\n',
      "[agent.kata]\nenable_tracing = true\n",
      '[runtime]\nenable_tracing = true\njaeger_endpoint = "http://127.0.0.1:4318/api/traces"\n',
    ].join("\n"),
  );
  t.match(await lookAtConfig(config), { state: "ok" });
  t.match(await install("--drop-in", ...goWishes(guest)), { stdout: /nothing to change/ });
  t.match(await uninstall(), { status: 0 });
  t.notOk(existsSync(file));
  t.match(await lookAtConfig(config), { state: "broken" });
});

test("a folder among the drop-ins is passed over", async (t) => {
  const { folder, guest, install } = place(t, vector("go.toml"));
  mkdirSync(join(folder, "config.d/old"), { recursive: true });
  t.match(await install("--drop-in", ...goWishes(guest)), { status: 0 });
});

test("a file that is too long for a configuration is not read, nor one that has no end", async (t) => {
  const { config, folder, guest, install } = place(t, vector("go.toml"));
  mkdirSync(join(folder, "config.d"));
  symlinkSync("/dev/zero", join(folder, "config.d/10-endless.toml"));
  t.match(await install(...goWishes(guest)), {
    status: 2,
    stderr: /10-endless.toml cannot be read: it is no file/,
  });
  unlinkSync(join(folder, "config.d/10-endless.toml"));
  // A hole of a terabyte: there is no memory for who would read it.
  truncateSync(config, 2 ** 40);
  t.match(await install(...goWishes(guest)), { status: 2, stderr: /cannot be read: it is too long/ });
});

test("a drop-in of others that says otherwise is named, and nothing is written", async (t) => {
  const { folder, text, install } = place(t, vector("go.toml"));
  mkdirSync(join(folder, "config.d"));
  writeFileSync(join(folder, "config.d/99-last.toml"), "[agent.kata]\nenable_tracing = false\n");
  for (const args of [[], ["--drop-in"]]) {
    const ended = await install(...args);
    t.match(ended, { status: 2, stderr: /99-last\.toml says otherwise about agent\.kata\.enable_tracing/ });
  }
  t.equal(text(), vector("go.toml"));
});

test("the work of others is not taken away", async (t) => {
  const { config, text, install, uninstall } = place(t, vector("go.toml"));
  await install();
  writeFileSync(config, `${text()}# mine\n`);
  t.match(await uninstall(), { status: 2, stderr: /was changed since/ });
  t.match(await install("--kernel-param", "panic=5"), { status: 2, stderr: /was changed since/ });
  t.match(text(), /# mine\n$/);
  t.match(await uninstall("--force"), { status: 0 });
  t.equal(text(), vector("go.toml"));
});

test("what somebody has spoilt is brought back all the same", async (t) => {
  const { config, text, install, uninstall } = place(t, vector("go.toml"));
  await install();
  writeFileSync(config, "[agent");
  t.match(await uninstall(), { status: 2, stderr: /was changed since/ });
  t.match(await uninstall("--force"), { status: 0, stderr: "" });
  t.equal(text(), vector("go.toml"));
});

test("who was interrupted begins again", async (t) => {
  const { folder, config, text, install, uninstall } = place(t, vector("go.toml"));
  await install();
  const installed = text();
  // The backup and the sum are there, the new file is not.
  writeFileSync(config, vector("go.toml"));
  t.match(await install(), { status: 0, stdout: /written/ });
  t.equal(text(), installed);
  t.match(await uninstall(), { status: 0 });
  t.equal(text(), vector("go.toml"));
  t.same(readdirSync(folder).sort(), ["configuration.toml", "guest.img"], "nothing else is left");
});

test("a backup has the mode of its file, and is not written through a link", async (t) => {
  const { folder, config, text, install } = place(t, vector("go.toml"));
  chmodSync(config, 0o600);
  symlinkSync("elsewhere", `${config}.before-agentctl`);
  t.match(await install(), { status: 2, stderr: /nothing was changed/ });
  t.notOk(existsSync(join(folder, "elsewhere")));
  t.equal(text(), vector("go.toml"));
  unlinkSync(`${config}.before-agentctl`);
  t.match(await install(), { status: 0 });
  t.equal(statSync(`${config}.before-agentctl`).mode & 0o777, 0o600);
});

test("a drop-in of our name that is not ours stays", async (t) => {
  const { folder, install } = place(t, vector("go.toml"));
  mkdirSync(join(folder, "config.d"));
  const file = join(folder, "config.d/90-agentctl.toml");
  writeFileSync(file, "# mine\n");
  t.match(await install("--drop-in"), { status: 2, stderr: /was not written by agentctl/ });
  t.equal(readFileSync(file, "utf8"), "# mine\n");
  t.same(readdirSync(folder).sort(), ["config.d", "configuration.toml", "guest.img"]);
});

test("a link stays a link, and its target is changed", async (t) => {
  const { folder, config, text } = place(t, vector("go.toml"));
  const link = join(folder, "link.toml");
  symlinkSync("configuration.toml", link);
  t.match(await runAgentctl(["install", "--kata-config", link]), { status: 0 });
  t.equal(readFileSync(link, "utf8"), text());
  t.ok(existsSync(`${config}.before-agentctl`));
});

test("ends of lines stay as they are", async (t) => {
  const { text, install } = place(t, vector("go.toml").replaceAll("\n", "\r\n"));
  t.match(await install("--no-jaeger"), { status: 0 });
  t.equal(text().replaceAll("\r\n", "").includes("\n"), false);
  t.match(text(), /\r\nenable_tracing = true\r\n/);
});

const refused: readonly (readonly [what: string, text: string, args: readonly string[], said: RegExp])[] = [
  ["no TOML", "[agent", [], /cannot be read: Invalid TOML/],
  ["none of a runtime", 'title = "x"\n', [], /no table \[hypervisor/],
  ["several hypervisors", "[hypervisor.a]\n[hypervisor.b]\n", [], /it has a, b: say which by --hypervisor/],
  ["keys with dots", "hypervisor.qemu.path = ''\nagent.kata.x = 1\n", [], /not changed safely/],
  ["a guest that is not there", "[hypervisor.a]\n", ["--initrd", "/nonexistent"], /ENOENT/],
  ["a guest by a relative path", "[hypervisor.a]\n", ["--image", "x.img"], /absolute path/],
  ["two guests", "[hypervisor.a]\n", ["--image", "/dev/null", "--initrd", "/dev/null"], /one of them/],
  ["words with spaces", "[hypervisor.a]\n", ["--kernel-param", "a b"], /one word/],
  ["an unknown trace", "[hypervisor.a]\n", ["--trace", "loud"], /isolated, or collated/],
  ["nothing of ours", "[hypervisor.a]\n", ["uninstall"], /changed nothing/],
];
for (const [what, text, args, said] of refused) {
  test(`${what} is refused with a word, and nothing changes`, async (t) => {
    const { folder, text: now, install, uninstall } = place(t, text);
    const ended = args[0] === "uninstall" ? await uninstall() : await install(...args);
    t.match(ended, { status: 2, stdout: "", stderr: said });
    t.equal(now(), text);
    t.same(readdirSync(folder).sort(), ["configuration.toml", "guest.img"]);
  });
}

test("a minimal configuration gets the tables that it lacks", async (t) => {
  const { text, install } = place(t, "[hypervisor.clh]\npath = '/x'\n");
  t.match(await install("--no-jaeger", "--trace", "isolated"), { status: 0 });
  t.equal(
    text(),
    "[hypervisor.clh]\npath = '/x'\nkernel_params = \"agent.trace=isolated\"\n\n[agent.kata]\nenable_tracing = true\n",
  );
});

test("a configuration that is not there is exit status 2", async (t) => {
  const ended = await runAgentctl(["install", "--kata-config", "/nonexistent/configuration.toml"]);
  t.match(ended, { status: 2, stderr: /nonexistent.* cannot be read/ });
});
