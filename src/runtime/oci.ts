/**
 * The OCI runtime specification's `config.json`, as far as a Kata guest can be asked for it.
 * Source: opencontainers/runtime-spec 1.1, `config.md` and `config-linux.md`. Keys are the document's own.
 * 64-bit numbers are `bigint`: limits such as 2^64-1 must reach crun exactly.
 */
export type OciSpec = {
  ociVersion: string;
  process?: OciProcess;
  root?: { path: string; readonly?: boolean };
  hostname?: string;
  mounts?: OciMount[];
  hooks?: OciHooks;
  annotations?: Record<string, string>;
  linux?: OciLinux;
};

/** `process`. */
export type OciProcess = {
  terminal?: boolean;
  consoleSize?: { height: number; width: number };
  user: { uid: number; gid: number; additionalGids?: number[] };
  args: string[];
  env?: string[];
  cwd: string;
  capabilities?: OciCapabilities;
  rlimits?: OciRlimit[];
  noNewPrivileges?: boolean;
  oomScoreAdj?: number;
  selinuxLabel?: string;
};

/** One of `process.rlimits`. */
export type OciRlimit = { type: string; hard: bigint; soft: bigint };

/** `process.capabilities`. */
export type OciCapabilities = {
  bounding?: string[];
  effective?: string[];
  inheritable?: string[];
  permitted?: string[];
  ambient?: string[];
};

/** One of `mounts`. */
export type OciMount = { destination: string; source?: string; type?: string; options?: string[] };

/** One hook; `timeout` in seconds. */
export type OciHook = { path: string; args?: string[]; env?: string[]; timeout?: number };

/** `hooks`, by stage. */
export type OciHooks = {
  prestart?: OciHook[];
  createRuntime?: OciHook[];
  createContainer?: OciHook[];
  startContainer?: OciHook[];
  poststart?: OciHook[];
  poststop?: OciHook[];
};

/** One of `linux.namespaces`; without a path it is made. */
export type OciNamespace = { type: string; path?: string };

/** One of `linux.uidMappings` or `gidMappings`. */
export type OciIdMapping = { containerID: number; hostID: number; size: number };

/** One of `linux.devices`. */
export type OciDevice = {
  path: string;
  type: string;
  major?: bigint;
  minor?: bigint;
  fileMode?: number;
  uid?: number;
  gid?: number;
};

/** One line of the device control group: a wildcard where type, major or minor is absent. The last match counts. */
export type OciDeviceRule = {
  allow: boolean;
  type?: string;
  major?: bigint;
  minor?: bigint;
  access?: string;
};

/** `linux`. */
export type OciLinux = {
  uidMappings?: OciIdMapping[];
  gidMappings?: OciIdMapping[];
  sysctl?: Record<string, string>;
  resources?: OciResources;
  cgroupsPath?: string;
  namespaces?: OciNamespace[];
  devices?: OciDevice[];
  seccomp?: OciSeccomp;
  rootfsPropagation?: string;
  maskedPaths?: string[];
  readonlyPaths?: string[];
  mountLabel?: string;
};

/** `linux.resources`; bytes, microseconds, and the words of the kernel for lists of CPUs. */
export type OciResources = {
  devices?: OciDeviceRule[];
  memory?: {
    limit?: bigint;
    reservation?: bigint;
    swap?: bigint;
  };
  cpu?: {
    shares?: bigint;
    quota?: bigint;
    period?: bigint;
    cpus?: string;
    mems?: string;
  };
  pids?: { limit: bigint };
  blockIO?: OciBlockIo;
  hugepageLimits?: { pageSize: string; limit: bigint }[];
};

type OciThrottle = { major: bigint; minor: bigint; rate: bigint };

/** `linux.resources.blockIO`; rates per second. */
export type OciBlockIo = {
  weight?: number;
  weightDevice?: { major: bigint; minor: bigint; weight?: number }[];
  throttleReadBpsDevice?: OciThrottle[];
  throttleWriteBpsDevice?: OciThrottle[];
  throttleReadIOPSDevice?: OciThrottle[];
  throttleWriteIOPSDevice?: OciThrottle[];
};

/** `linux.seccomp`. */
export type OciSeccomp = {
  defaultAction: string;
  architectures?: string[];
  flags?: string[];
  syscalls?: {
    names: string[];
    action: string;
    errnoRet?: number;
    args?: { index: number; value: bigint; valueTwo?: bigint; op: string }[];
  }[];
};
