/**
 * What each option is for, in words: docs/options.md is made of it and of the tables of the options
 * (`scripts/docs/gen-tables.ts`). The agent itself never loads this file.
 */
import {
  address,
  annotationKeys,
  bool,
  byte,
  flag,
  integer,
  level,
  listenerPort,
  perMillion,
  type Reader,
  seconds,
  text,
  trace,
  traceLevel,
  traceMode,
  traceRules,
  trueOrFalse,
  url,
  wholeNumber,
} from "./option-readers.ts";
import type { AgentOptions } from "./options.ts";

/** The words about one option. */
export type OptionText = {
  readonly text: string;
  /** What may be given, where its reader alone does not tell. */
  readonly value?: string;
  /** What holds without it, where the table's default needs words. */
  readonly fallback?: string;
  /** The first version that has it: of Kata, for an option of Kata's own agent, else of this one. */
  readonly since: string;
};

const first = "0.1.0";
const kata = (version: string): string => `Kata ${version}`;

/** The words, in the order in which people look for them. */
export const optionTexts: { readonly [Name in keyof AgentOptions]: OptionText } = {
  logLevel: { text: "lines below it are left out", since: kata("2.0") },
  logPort: { value: "port", text: "VSOCK port where the log is handed out; 0: stdout", since: kata("2.0") },
  journal: {
    text: "the guest's journal leaves by the log's port too: the lines of the kernel, of systemd, and of services where a journal forwards them",
    since: first,
  },
  serverAddress: { text: "where calls are taken", since: kata("2.1") },
  vsockPeers: {
    value: "`host` `any`",
    text: "who may connect to the VSOCK ports of calls, shell and log: [protocol.md](protocol.md#ports)",
    since: first,
  },
  debugConsole: { text: "a shell for whoever reaches it, without any question", since: kata("2.0") },
  debugConsolePort: {
    value: "port",
    text: "VSOCK port of that shell; 0: the serial console",
    since: kata("2.0"),
  },
  hotplugTimeoutMs: { text: "wait for a device", since: kata("2.0") },
  cdiTimeoutMs: { text: "wait for the CDI specification of a device", since: kata("3.14") },
  visibleCdiDevices: {
    text: "containers may name CDI devices in `VISIBLE_CDI_DEVICES`",
    since: kata("3.32"),
  },
  containerPipeBytes: {
    value: "bytes",
    text: "capacity of output pipes; 0: the kernel's",
    since: kata("2.0"),
  },
  passedStreamsAddress: {
    fallback: "0",
    text: "VSOCK port for streams that the host passes; 0: none. An address (off the guest) must be TCP",
    since: kata("3.3"),
  },
  policyFile: {
    text: "policy to begin with; empty: `/etc/kata-opa/default-policy.rego`, if it is there: [policy.md](policy.md)",
    since: kata("3.9"),
  },
  crunTimeoutMs: { text: "limit of one crun", since: first },
  trace: { text: "whether and how to trace", since: kata("2.2") },
  traceMode: {
    text: "`dynamic`: off until a call begins it, whatever `agent.trace` says",
    since: first,
  },
  traceLevel: { text: "how much: [spans.md](spans.md#levels)", since: first },
  traceSampling: {
    text: "share of the calls that no caller has sampled; 0: only those that one has",
    since: first,
  },
  traceRules: { text: "sampling by method", since: first },
  traceQueue: { value: "spans", text: "that may wait for the receiver; beside it 8 MiB", since: first },
  traceLinks: {
    fallback: "those of Kubernetes and Tekton",
    text: "links of a CreateContainer: [protocol.md](protocol.md#the-callers-context-srctracetraceparentts-call-parentts)",
    since: first,
  },
  traceAddress: { text: "receiver of the spans", since: first },
  traceFlushMs: { text: "limit of the last flush", since: first },
  traceWorkload: {
    text: "processes of containers get `TRACEPARENT` and its kin: [protocol.md](protocol.md)",
    since: first,
  },
  traceRelay: { text: "containers get a socket for spans of their own", since: first },
  traceParent: { value: "traceparent", text: "parent of the root span", since: first },
  cgroupNoV1: {
    value: "text",
    text: "with `all`, nobody is told that version 1 is not mounted",
    since: kata("3.14"),
  },
  unifiedCgroups: {
    text: "version 2 is mounted whatever it says; a no is answered with a warning",
    since: kata("2.0"),
  },
  memAgent: { text: "whether it works at all", since: kata("3.13") },
  memAgentReclaimDisabled: { text: "idle memory stays where it is", since: kata("3.13") },
  memAgentSwap: { text: "anonymous memory may be swapped out too", since: kata("3.13") },
  memAgentSwappinessMax: { text: "bound of the swappiness", since: kata("3.13") },
  memAgentReclaimPeriod: { text: "between two rounds of taking back", since: kata("3.13") },
  memAgentReclaimPeriodPsi: {
    text: "more pressure of memory than this, and a round is left out",
    since: kata("3.13"),
  },
  memAgentEvictionPsi: {
    text: "more pressure of a group than this, and it is left alone",
    since: kata("3.13"),
  },
  memAgentAgingCountMin: { text: "rounds for which a group has to have been idle", since: kata("3.13") },
  memAgentCompactDisabled: { text: "free memory stays as it is", since: kata("3.13") },
  memAgentCompactPeriod: { text: "between two rounds of compacting", since: kata("3.13") },
  memAgentCompactPeriodPsi: {
    text: "more pressure of memory than this, and a round is left out",
    since: kata("3.13"),
  },
  memAgentCompactPsi: {
    text: "a round is given up when it makes more pressure than this",
    since: kata("3.13"),
  },
  memAgentCompactSecMax: { text: "longest time of a round, in seconds", since: kata("3.13") },
  memAgentCompactOrder: {
    text: "free memory counts as whole in blocks of 2^order pages",
    since: kata("3.13"),
  },
  memAgentCompactThreshold: {
    text: "pages that have to have been freed since the last round",
    since: kata("3.13"),
  },
  memAgentCompactForceTimes: {
    fallback: "2^63−1",
    text: "after so many rounds left out, one takes place all the same",
    since: kata("3.13"),
  },
  devMode: { text: "nothing, with Kata's agent either", since: kata("2.0") },
  httpsProxy: { text: "for helpers that pull images", since: kata("3.3") },
  noProxy: { text: "for helpers that pull images", since: kata("3.3") },
  guestComponentsRestApi: {
    value: "`all` `attestation` `resource`",
    text: "of the guest components",
    since: kata("3.4"),
  },
  guestComponentsProcs: {
    value: "`none` `attestation-agent` `confidential-data-hub` `api-server-rest`",
    text: "which helpers to start",
    since: kata("3.6"),
  },
  secureStorageIntegrity: { text: "of encrypted storages", since: kata("3.8") },
  cdhApiTimeoutMs: { text: "limit of a call to the confidential data hub", since: kata("3.9") },
  imagePullTimeoutMs: { text: "limit of pulling an image in the guest", since: kata("3.18") },
  launchProcessTimeoutMs: { text: "wait for the helpers", since: kata("3.29") },
  attesterVariant: { text: "of the attestation agent", since: kata("4.0") },
};

/** What a reader takes, for the column of values. */
export const valueWords: ReadonlyMap<Reader<unknown>, string> = new Map<Reader<unknown>, string>([
  [address, "address"],
  [annotationKeys, "annotation keys, comma between"],
  [bool, "bool"],
  [byte, "0 to 255"],
  [flag, "flag"],
  [integer, "whole number"],
  [level, "`fatal` `panic` `critical` `error` `warn` `warning` `info` `debug` `trace`"],
  [listenerPort, "port"],
  [perMillion, "0 to 1000000"],
  [seconds, "seconds"],
  [text, "text"],
  [trace, "see below"],
  [traceLevel, "as `agent.log`"],
  [traceMode, "`static` `dynamic`"],
  [traceRules, "see below"],
  [trueOrFalse, "`true` or `false`"],
  [url, "URL"],
  [wholeNumber, "whole number"],
]);
