import { spawnSync } from "node:child_process";
import { appendFileSync, cpSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "tap";
import { allMethods } from "../../src/gen/methods.ts";
import { foreignProtos } from "../fakes/foreign-protos.ts";

const repository = join(import.meta.dirname, "../..");

function check(folder: string) {
  return spawnSync(process.execPath, [join(folder, "scripts/gen.ts"), "--check"], { encoding: "utf8" });
}

test("the committed modules are what the proto files say", async (t) => {
  const { status, stderr } = check(repository);
  t.equal(stderr, "");
  t.equal(status, 0);
});

test("a module that is different, or left over, is named", async (t) => {
  const folder = t.testdir({ src: {}, scripts: {} });
  cpSync(join(repository, "src/gen"), join(folder, "src/gen"), { recursive: true });
  cpSync(join(repository, "protos"), join(folder, "protos"), { recursive: true });
  cpSync(join(repository, "scripts/gen.ts"), join(folder, "scripts/gen.ts"));
  cpSync(join(repository, "package.json"), join(folder, "package.json"));
  symlinkSync(join(repository, "node_modules"), join(folder, "node_modules"));
  appendFileSync(join(folder, "src/gen/oci.ts"), "// edited\n");
  writeFileSync(join(folder, "src/gen/old.ts"), "");
  const { status, stderr } = check(folder);
  t.equal(status, 1);
  t.match(stderr, /oci\.ts/);
  t.match(stderr, /old\.ts/);
  t.notMatch(stderr, /agent\.ts/);
});

test("every method of the services is in the table, by its full name", async (t) => {
  const root = foreignProtos();
  const expected = ["grpc.AgentService", "grpc.Health", "kata.trace.v1.TraceControl"].flatMap((name) =>
    root.lookupService(name).methodsArray.map((method) => ({
      path: `${name}/${method.name}`,
      request: method.resolvedRequestType?.fullName.slice(1),
      response: method.resolvedResponseType?.fullName.slice(1),
    })),
  );
  const found = allMethods.map((method) => ({
    path: method.path,
    request: method.requestType.name,
    response: method.responseType.name,
  }));
  t.same(found, expected);
  t.equal(found.length, 51);
});
