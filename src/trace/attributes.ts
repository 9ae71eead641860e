/**
 * Every attribute that a span, an event or a link may carry: key, type, meaning.
 *
 * This is an allow-list on purpose. A span must never hold request contents, arguments, environment or file data, so
 * a key is added here with a look at where its value comes from: numbers, fixed words, and checked ids only.
 * Names without `kata.` are those of the semantic conventions (v1.44.0; RPC conventions are release candidate).
 */

type Kind = "string" | "number" | "boolean";

/** Name of the status attribute of a call: the conventions rename it after v1.44.0, so it stands here only. */
export const statusCodeKey = "rpc.response.status_code";

/** Key → [type, meaning]. The documentation and the type {@link SpanAttributes} are made from it. */
export const attributeTable = {
  "rpc.system.name": ["string", "`ttrpc` or `grpc`"],
  "rpc.method": ["string", "fully qualified method, `grpc.AgentService/CreateContainer`"],
  [statusCodeKey]: ["string", "status name of the answer, `OK`, `NOT_FOUND`"],
  "error.type": ["string", "status name, errno name, or class of the error; absent on success"],
  "network.peer.address": ["string", "who called: `unix`, `vsock:2:1234`"],
  "network.transport": ["string", "`unix`, `tcp` or `vsock`"],
  "container.id": ["string", "container that the work is about"],
  "k8s.container.name": ["string", "name of the container in its pod, from the CRI annotations"],
  "k8s.pod.name": ["string", "on the resource: the pod, from the CRI annotations"],
  "k8s.namespace.name": ["string", "on the resource: the pod's namespace"],
  "k8s.pod.uid": ["string", "on the resource: the pod's uid"],
  "container.runtime.name": ["string", "`crun`"],
  "container.runtime.version": ["string", "version that the runtime told"],
  "process.pid": ["number", "process id in the guest"],
  "process.exit.code": ["number", "exit code, when the process exited by itself"],
  "process.interactive": ["boolean", "the process has a terminal"],
  "kata.sandbox.id": ["string", "sandbox that the guest serves"],
  "kata.sandbox.containers": ["number", "containers in the sandbox"],
  "kata.exec.id": ["string", "process within the container; the init process has the container's id"],
  "kata.process.signal": ["number", "signal that ended the process"],
  "kata.process.oom": ["boolean", "the kernel killed it for want of memory"],
  "kata.signal": ["number", "signal that was sent"],
  "kata.signal.targets": ["number", "processes that got it"],
  "kata.storage.driver": ["string", "driver name of a storage: `local`, `virtio-fs`, `overlayfs`"],
  "kata.storage.count": ["number", "storages in the request"],
  "kata.mount.fstype": ["string", "file system type"],
  "kata.mount.count": ["number", "mounts made"],
  "kata.device.type": ["string", "device driver name"],
  "kata.device.count": ["number", "devices in the request"],
  "kata.crun.command": ["string", "`create`, `start`, `exec`, `delete`, `kill`, `state`"],
  "kata.crun.exit.code": ["number", "exit code of crun itself"],
  "kata.hook.type": ["string", "OCI hook stage: `prestart`, `poststop`"],
  "kata.hook.index": ["number", "position of the hook in its stage"],
  "kata.hook.stderr": ["string", "last line that a hook wrote to its stderr, at most 200 characters"],
  "kata.io.stream": ["string", "`stdin`, `stdout` or `stderr`"],
  "kata.io.bytes": ["number", "bytes moved"],
  "kata.io.eof": ["boolean", "the stream ended here"],
  "kata.file.bytes": ["number", "size of the piece of a file that was written"],
  "kata.file.type": ["string", "`regular`, `directory`, `symlink`"],
  "kata.module.name": ["string", "kernel module"],
  "kata.boot.pid1": ["boolean", "the agent is the init process of the guest"],
  "kata.boot.step": ["string", "duty of the boot list that the span is about"],
  "kata.address": ["string", "address that a listener or an exporter was told: `vsock://-1:1024`"],
  "kata.attempt": ["number", "which try this was, from 1"],
  "kata.count": ["number", "how many things the span handled"],
  "kata.timeout_ms": ["number", "limit of a wait"],
  "kata.timed_out": ["boolean", "the limit was reached"],
  "kata.forced": ["boolean", "the polite way failed and force was used"],
  "kata.reason": ["string", "fixed word that says why: `destroy-sandbox`, `sigterm`, `crash`"],
  "kata.log.level": ["string", "level of a log line: `WARN`, `ERRO`, `CRIT`"],
  "kata.log.message": ["string", "its text, which is one of the program's own; none of its fields"],
  "kata.clock.offset_ns": [
    "number",
    "host's clock minus the one that the span was made with; else the resource tells it",
  ],
  "kata.incomplete": ["boolean", "the span was still open when tracing ended"],
} as const satisfies Record<string, readonly [Kind, string]>;

type ValueOf<K extends Kind> = K extends "string" ? string : K extends "number" ? number : boolean;

/** What a span may be given. Nothing outside {@link attributeTable} type-checks; `undefined` values are left out. */
export type SpanAttributes = {
  readonly [K in keyof typeof attributeTable]?: ValueOf<(typeof attributeTable)[K][0]> | undefined;
};
