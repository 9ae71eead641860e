import { test } from "tap";
import {
  asArchitecture,
  buildFolder,
  ownArchitecture,
  traitsOf,
} from "../../../scripts/image/architecture.ts";

test("an architecture is known by Debian's, Node's and the kernel's names", async (t) => {
  t.same(["amd64", "x64", "x86_64"].map(asArchitecture), ["amd64", "amd64", "amd64"]);
  t.same(["arm64", "aarch64"].map(asArchitecture), ["arm64", "arm64"]);
  t.throws(() => asArchitecture("s390x"), /s390x, only for amd64 and arm64/);
});

test("what is built for another architecture has a folder of its own", async (t) => {
  const own = ownArchitecture();
  const other = own === "amd64" ? "arm64" : "amd64";
  t.equal(buildFolder("/p", own), "/p/build");
  t.equal(buildFolder("/p", other), `/p/build/${other}`);
  t.equal(traitsOf(own).nodeArch, process.arch);
});
