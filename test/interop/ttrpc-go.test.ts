import { spawn, spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { test } from "tap";
import type { Call } from "../../src/rpc/call.ts";
import { handlers, ttrpcServer } from "../fakes/rpc-server.ts";

const source = join(import.meta.dirname, "ttrpc-client");
const go = ["go", "/usr/local/go/bin/go"].find((name) => spawnSync(name, ["version"]).status === 0);
const skip = go === undefined ? "there is no Go on this machine to build the foreign client with" : false;

function build(folder: string): string {
  const program = join(folder, "ttrpc-client");
  // Its modules come over the network, the first time.
  for (let triesLeft = 2; ; triesLeft--) {
    const args = ["build", "-o", program, "."];
    const { status, stderr } = spawnSync(go ?? "", args, { cwd: source, encoding: "utf8" });
    if (status === 0 && existsSync(program)) return program;
    if (triesLeft === 0) throw new Error(`go build: ${stderr}`);
  }
}

async function run(program: string, args: readonly string[]): Promise<Record<string, unknown>> {
  const child = spawn(program, args, { stdio: ["ignore", "pipe", "inherit"] });
  return JSON.parse(await text(child.stdout)) as Record<string, unknown>;
}

test("the ttRPC client of the Go runtime is served", { skip }, async (t) => {
  const folder = mkdtempSync(join(tmpdir(), "ttrpc-go-"));
  t.teardown(() => rmSync(folder, { recursive: true }));
  const program = build(folder);
  const calls: Call[] = [];
  const aborted = Promise.withResolvers<void>();
  const { address } = await ttrpcServer(
    t,
    handlers(
      {
        WaitProcess: (_request, call) => {
          call.signal.addEventListener("abort", () => aborted.resolve());
          return new Promise(() => {});
        },
      },
      {
        Check: async (_request, call) => {
          calls.push(call);
          return { status: 1 };
        },
      },
    ),
  );
  const path = address.kind === "unix" ? address.path : "";
  t.same(await run(program, ["-mode", "interop", "-address", path]), {
    concurrent: "ok",
    deadline: "DeadlineExceeded",
    "unknown method": "Unimplemented: method Foo",
    "unknown service": "Unimplemented: service grpc.Nothing",
    "error of a handler": "Unimplemented: method StartContainer",
    "undecodable message": "InvalidArgument",
    "after all": "ok",
  });
  await aborted.promise;
  const seen = calls.map((call) => call.metadata.find(([key]) => key === "call")?.[1]);
  t.same(new Set(seen), new Set(Array.from({ length: 200 }, (_, i) => String(i))));
  t.same(
    calls[0]?.metadata.filter(([key]) => key === "twice"),
    [
      ["twice", "a"],
      ["twice", "b"],
    ],
  );
  const load = [
    "-mode",
    "load",
    "-connections",
    "2",
    "-outstanding",
    "16",
    "-seconds",
    "0.5",
    "-address",
    path,
  ];
  t.match(await run(program, load), { errors: 0, calls: Number });
});
