import { test } from "tap";
import {
  CopyFileRequest,
  CreateContainerRequest,
  MemAgentMemcgConfig,
  UpdateInterfaceRequest,
  WriteStreamRequest,
} from "../../src/gen/agent.ts";
import { allMethods } from "../../src/gen/methods.ts";
import { Spec } from "../../src/gen/oci.ts";
import { policyInput } from "../../src/service/policy-input.ts";

/** The form of requests that policies are written for (agent-api 8). */

test("every request of the schema has a form, empty ones their zero values", (t) => {
  for (const { requestType } of allMethods) JSON.parse(policyInput(requestType, requestType.create()));
  t.same(JSON.parse(policyInput(CreateContainerRequest, CreateContainerRequest.create())), {
    container_id: "",
    exec_id: "",
    string_user: null,
    devices: [],
    storages: [],
    OCI: null,
    sandbox_pidns: false,
    shared_mounts: [],
    stdin_port: 0,
    stdout_port: 0,
    stderr_port: 0,
  });
  t.end();
});

test("bytes are numbers, `type` is `type_`, absent messages and optional numbers are null", (t) => {
  const write = { ...WriteStreamRequest.create(), data: Uint8Array.of(0, 1, 255) };
  t.same(JSON.parse(policyInput(WriteStreamRequest, write)).data, [0, 1, 255]);
  t.equal(JSON.parse(policyInput(UpdateInterfaceRequest, UpdateInterfaceRequest.create())).interface, null);
  const settings = { ...MemAgentMemcgConfig.create(), period_secs: 2n ** 64n - 1n };
  const json = policyInput(MemAgentMemcgConfig, settings);
  t.match(json, /"period_secs":18446744073709551615/, "no digit of a large number is lost");
  t.match(json, /"disabled":null/);
  t.end();
});

test("a container's document: maps, lists, and the one oneof with its wrapper", (t) => {
  const request = CreateContainerRequest.create();
  const spec: Record<string, unknown> = Spec.create();
  spec["Annotations"] = new Map([['a"b', "c"]]);
  spec["Mounts"] = [
    { destination: "/proc", source: "proc", type: "proc", options: ["ro"], UIDMappings: [], GIDMappings: [] },
  ];
  const syscall = { Names: ["open"], Action: "SCMP_ACT_ERRNO", errnoret: 1, Args: [] };
  spec["Linux"] = {
    Seccomp: { Syscalls: [syscall, { ...syscall, errnoret: undefined }], Flags: [], Architectures: [] },
  };
  request.OCI = spec as never;
  const { OCI } = JSON.parse(policyInput(CreateContainerRequest, request));
  t.same(OCI.Annotations, { 'a"b': "c" });
  t.match(OCI.Mounts[0], { destination: "/proc", type_: "proc", options: ["ro"] });
  t.same(OCI.Linux.Seccomp.Syscalls[0].ErrnoRet, { Errnoret: 1 });
  t.equal(OCI.Linux.Seccomp.Syscalls[1].ErrnoRet, null);
  t.equal(OCI.Process, null);
  t.end();
});

test("CopyFile is shown without its data, a symlink with its target", (t) => {
  const copy = (mode: number, data: Uint8Array) =>
    JSON.parse(
      policyInput(CopyFileRequest, { ...CopyFileRequest.create(), path: "/p", file_mode: mode, data }),
    );
  t.same(copy(0o100644, Buffer.from("secret")), {
    path: "/p",
    file_type: "Regular",
    symlink_target: null,
    file_size: 0,
    file_mode: 0o100644,
    dir_mode: 0,
    uid: 0,
    gid: 0,
    offset: 0,
  });
  t.equal(copy(0o040755, Buffer.alloc(0)).file_type, "Directory");
  t.equal(copy(0o140755, Buffer.alloc(0)).file_type, "Unknown");
  t.match(copy(0o120777, Buffer.from("..data/é")), { file_type: "Symlink", symlink_target: "..data/é" });
  t.throws(() => copy(0o120777, Uint8Array.of(0, 255)));
  t.end();
});
