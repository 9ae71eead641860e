import { test } from "tap";
import { fromJson } from "../../src/ctl/from-json.ts";
import { toJson } from "../../src/ctl/to-json.ts";
import { CopyFileRequest, CreateContainerRequest, MemAgentMemcgConfig } from "../../src/gen/agent.ts";
import type { MessageType } from "../../src/gen/message-type.ts";
import { Spec } from "../../src/gen/oci.ts";

test("bytes, 64-bit numbers, maps and nested messages come back as they went", (t) => {
  const text = {
    container_id: "web",
    OCI: {
      Process: {
        Args: ["sh"],
        OOMScoreAdj: "-998",
        Rlimits: [{ Type: "RLIMIT_NOFILE", Hard: "18446744073709551615", Soft: "0" }],
      },
      Annotations: { "a/b": "c" },
    },
  };
  const message = fromJson(CreateContainerRequest, text);
  t.equal(message.OCI?.Process?.Rlimits[0]?.Hard, 18446744073709551615n);
  t.equal(message.OCI?.Annotations.get("a/b"), "c");
  t.equal(message.exec_id, "", "what is left out has its zero value");
  t.match(toJson(message), text);
  t.end();
});

test("plain numbers are taken for 64-bit fields, null for absent ones", (t) => {
  t.equal(fromJson(CopyFileRequest, { offset: 5, file_size: "6", data: null }).offset, 5n);
  t.equal(fromJson(MemAgentMemcgConfig, {}).swap, undefined);
  t.equal(fromJson(MemAgentMemcgConfig, { swap: false }).swap, false);
  t.end();
});

const bad: readonly [MessageType, unknown, RegExp][] = [
  [CopyFileRequest, [], /grpc\.CopyFileRequest: an object is needed/],
  [CopyFileRequest, { nonsense: 1 }, /has no field "nonsense"; it has: path, file_size/],
  [CopyFileRequest, { path: 1 }, /CopyFileRequest\.path: a string is needed/],
  [CopyFileRequest, { uid: 1.5 }, /\.uid: an integer is needed/],
  [CopyFileRequest, { offset: "0x5" }, /\.offset: a 64-bit integer/],
  [CopyFileRequest, { data: "%" }, /\.data: bytes are needed, as base64/],
  [Spec, { Process: { Args: "sh" } }, /Spec\.Process\.Args: a list is needed/],
  [Spec, { Process: { Args: [1] } }, /Args\[0\]: a string is needed/],
  [Spec, { Annotations: { a: 1 } }, /Annotations\.a: a string is needed/],
  [Spec, { Process: { Terminal: 1 } }, /Terminal: a boolean is needed/],
];
for (const [type, value, message] of bad) {
  test(`${JSON.stringify(value)} is refused with the place of the fault`, (t) => {
    t.throws(() => fromJson(type, value), { name: "UsageError", message });
    t.end();
  });
}
