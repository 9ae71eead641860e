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

export type OciRlimit = { type: string; hard: bigint; soft: bigint };

export type OciCapabilities = {
  bounding?: string[];
  effective?: string[];
  inheritable?: string[];
  permitted?: string[];
  ambient?: string[];
};

export type OciMount = { destination: string; source?: string; type?: string; options?: string[] };

export type OciHook = { path: string; args?: string[]; env?: string[]; timeout?: number };

export type OciHooks = {
  prestart?: OciHook[];
  createRuntime?: OciHook[];
  createContainer?: OciHook[];
  startContainer?: OciHook[];
  poststart?: OciHook[];
  poststop?: OciHook[];
};

export type OciNamespace = { type: string; path?: string };

export type OciIdMapping = { containerID: number; hostID: number; size: number };

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

export type OciBlockIo = {
  weight?: number;
  weightDevice?: { major: bigint; minor: bigint; weight?: number }[];
  throttleReadBpsDevice?: OciThrottle[];
  throttleWriteBpsDevice?: OciThrottle[];
  throttleReadIOPSDevice?: OciThrottle[];
  throttleWriteIOPSDevice?: OciThrottle[];
};

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
