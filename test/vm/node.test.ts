/**
 * The host's package on a node that systemd runs, and the pages whose commands need one. One node for all of it: it is
 * emulated, and each page begins where the one before has left it.
 */
import { execFileSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import t, { type Test } from "tap";
import { readPage } from "../../scripts/docs/page.ts";
import { allPages } from "../../scripts/docs/page-faults.ts";
import { ownArchitecture } from "../../scripts/image/architecture.ts";
import { describeRelease, packageNames } from "../../scripts/package/release.ts";
import { missingLines, printedBlocks, scriptOf } from "../docs/run-page.ts";
import { bootNode, whyNoNode } from "./node-guest.ts";

const root = join(import.meta.dirname, "../..");
/** In the order of a user: installed by the first, taken away at the end of the last. */
const pages = ["install", "enable-tracing", "debug-a-guest", "kubernetes", "node"].map(
  (name) => `docs/${name}.md`,
);
const page = (path: string) => readPage(readFileSync(join(root, path), "utf8"));
const release = join(root, "build/release");
const names = packageNames(describeRelease(root, ownArchitecture(), process.env));

t.test("every page with commands for a node is run there", async (t) => {
  const asked = allPages().filter((path) => scriptOf(page(path), "node") !== "");
  t.same(asked.sort(), pages.toSorted());
});

/** What a user has brought: the packages, and of the checkout what the pages use. */
function bring(folder: string): void {
  const [deb, tarball] = [names.deb, names.tarball].map((name) => join(release, name)) as [string, string];
  cpSync(deb, join(folder, names.deb));
  const made = join(folder, "build/release");
  mkdirSync(made, { recursive: true });
  cpSync(tarball, join(made, names.tarball));
  newer(deb, join(made, names.deb), join(folder, "newer"));
  for (const path of ["scripts/namespaces.sh", "test/vm/node-pod.sh", "test/vectors/kata-config"])
    cpSync(join(root, path), join(folder, path), { recursive: true });
}

/** The package as its next version, which docs/node.md installs over the one of docs/install.md. */
function newer(deb: string, file: string, work: string): void {
  execFileSync("dpkg-deb", ["--raw-extract", deb, work]);
  const control = join(work, "DEBIAN/control");
  writeFileSync(control, readFileSync(control, "utf8").replace(/^Version: .*$/m, "$&+next"));
  // Not compressed: an emulated processor takes its time to unpack.
  execFileSync("dpkg-deb", ["--root-owner-group", "-Znone", "--build", work, file]);
  rmSync(work, { recursive: true });
}

const unit = "kata-trace-forwarder";
/** Waits until it answers, and ends the script when systemd has given it up. */
const answers = `until curl -sf http://127.0.0.1:10241/healthz; do
  [ "$(systemctl show -P ActiveState ${unit})" != inactive ]; sleep 0.2
done`;
/** Scripts that fail where it does not hold. */
const held: Readonly<Record<string, string>> = {
  "what crashed is started again": `
    ${answers}
    systemctl kill --signal KILL ${unit}
    until [ "$(systemctl show -P NRestarts ${unit})" = 1 ]; do sleep 0.2; done
    ${answers}`,
  "a reload that comes while it starts does not end it": `
    systemctl restart ${unit}
    systemctl reload ${unit}
    ${answers}
    systemctl is-active ${unit}
    systemctl reload ${unit}
    ${answers}`,
  "a sandbox of a VMM whose VSOCK is a socket gets one for spans, for its own user": `
    folder=/run/vc/vm/a-sandbox-of-nobody
    mkdir -p $folder && chown nobody $folder && chmod 700 $folder
    socat UNIX-LISTEN:$folder/clh.sock,fork - &
    until [ "$(stat -c %U:%a $folder/clh.sock_10240)" = nobody:600 ]; do sleep 0.2; done
    rm -r $folder`,
  "it stops cleanly, and its last words are in the journal": `
    systemctl stop ${unit}
    [ "$(systemctl show -P Result ${unit})$(systemctl show -P ExecMainStatus ${unit})" = success0 ]
    journalctl --unit ${unit} --output cat | grep '"signal":"SIGTERM","msg":"ending"'
    systemctl start ${unit}
    echo '# changed on this node' >>/etc/kata-trace-forwarder/forwarder.toml`,
};

/** What a page of its own has made, not the package. */
const ofPages = new Set(["/opt/kata-agent-node"]);
const whatIsLeft = `find / -xdev -path /root -prune -o \
  "(" -name '*${unit}*' -o -name '*kata-agent*' -o -name '*agentctl*' ")" -print`;

const noPackage = !existsSync(join(release, names.deb)) && "no package was made: make package";

t.test(
  "the package on a node that systemd runs",
  { skip: noPackage || (whyNoNode() ?? false) },
  async (t) => {
    const folder = mkdtempSync(join(tmpdir(), "kata-brought-"));
    t.teardown(() => rmSync(folder, { recursive: true, force: true }));
    bring(folder);
    await using node = await bootNode(folder);
    const played = async (t: Test, script: string): Promise<string> => {
      const { code, output } = await node.run(script);
      t.equal(code, 0, output);
      return output;
    };

    for (const path of pages) {
      await t.test(`the commands of ${path} do on a node what it says`, async (t) => {
        const output = await played(t, scriptOf(page(path), "node"));
        for (const { text, line } of printedBlocks(page(path), "node"))
          t.same(missingLines(text, output), [], `line ${line}: ${output}`);
      });
      if (path !== "docs/kubernetes.md") continue;
      for (const [name, script] of Object.entries(held)) await t.test(name, (t) => played(t, script));
    }

    await t.test("a purge leaves nothing", async (t) => {
      const output = await played(t, `set +x; ${whatIsLeft}; ls -d /run/kata || :`);
      const left = output.split("\n").filter((path) => path.startsWith("/"));
      t.same(
        left.filter((path) => !ofPages.has(path)),
        [],
      );
    });
  },
);
