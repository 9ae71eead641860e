// Made by scripts/gen.ts from protos/. Do not edit: change the proto file and run the script.

import type { MessageType } from "./message-type.ts";

/** The configuration of one container. */
export type Spec = {
  Version: string;
  Process: Process | undefined;
  Root: Root | undefined;
  Hostname: string;
  Mounts: Mount[];
  Hooks: Hooks | undefined;
  Annotations: Map<string, string>;
  Linux: Linux | undefined;
  /** Not for this platform; carried and ignored. */
  Solaris: Solaris | undefined;
  Windows: Windows | undefined;
};
export const Spec: MessageType<Spec> = {
  name: "grpc.Spec",
  fields: [
    [1, "Version", "string"],
    [2, "Process", "message", undefined, () => Process],
    [3, "Root", "message", undefined, () => Root],
    [4, "Hostname", "string"],
    [5, "Mounts", "message", "repeated", () => Mount],
    [6, "Hooks", "message", undefined, () => Hooks],
    [7, "Annotations", "string", "map"],
    [8, "Linux", "message", undefined, () => Linux],
    [9, "Solaris", "message", undefined, () => Solaris],
    [10, "Windows", "message", undefined, () => Windows],
  ],
  create: () => ({
    Version: "",
    Process: undefined,
    Root: undefined,
    Hostname: "",
    Mounts: [],
    Hooks: undefined,
    Annotations: new Map(),
    Linux: undefined,
    Solaris: undefined,
    Windows: undefined,
  }),
};

export type Process = {
  Terminal: boolean;
  ConsoleSize: Box | undefined;
  User: User | undefined;
  Args: string[];
  Env: string[];
  Cwd: string;
  Capabilities: LinuxCapabilities | undefined;
  Rlimits: POSIXRlimit[];
  NoNewPrivileges: boolean;
  ApparmorProfile: string;
  OOMScoreAdj: bigint;
  SelinuxLabel: string;
};
export const Process: MessageType<Process> = {
  name: "grpc.Process",
  fields: [
    [1, "Terminal", "bool"],
    [2, "ConsoleSize", "message", undefined, () => Box],
    [3, "User", "message", undefined, () => User],
    [4, "Args", "string", "repeated"],
    [5, "Env", "string", "repeated"],
    [6, "Cwd", "string"],
    [7, "Capabilities", "message", undefined, () => LinuxCapabilities],
    [8, "Rlimits", "message", "repeated", () => POSIXRlimit],
    [9, "NoNewPrivileges", "bool"],
    [10, "ApparmorProfile", "string"],
    [11, "OOMScoreAdj", "int64"],
    [12, "SelinuxLabel", "string"],
  ],
  create: () => ({
    Terminal: false,
    ConsoleSize: undefined,
    User: undefined,
    Args: [],
    Env: [],
    Cwd: "",
    Capabilities: undefined,
    Rlimits: [],
    NoNewPrivileges: false,
    ApparmorProfile: "",
    OOMScoreAdj: 0n,
    SelinuxLabel: "",
  }),
};

export type Box = {
  Height: number;
  Width: number;
};
export const Box: MessageType<Box> = {
  name: "grpc.Box",
  fields: [
    [1, "Height", "uint32"],
    [2, "Width", "uint32"],
  ],
  create: () => ({
    Height: 0,
    Width: 0,
  }),
};

export type User = {
  UID: number;
  GID: number;
  AdditionalGids: number[];
  Username: string;
};
export const User: MessageType<User> = {
  name: "grpc.User",
  fields: [
    [1, "UID", "uint32"],
    [2, "GID", "uint32"],
    [3, "AdditionalGids", "uint32", "repeated"],
    [4, "Username", "string"],
  ],
  create: () => ({
    UID: 0,
    GID: 0,
    AdditionalGids: [],
    Username: "",
  }),
};

export type LinuxCapabilities = {
  Bounding: string[];
  Effective: string[];
  Inheritable: string[];
  Permitted: string[];
  Ambient: string[];
};
export const LinuxCapabilities: MessageType<LinuxCapabilities> = {
  name: "grpc.LinuxCapabilities",
  fields: [
    [1, "Bounding", "string", "repeated"],
    [2, "Effective", "string", "repeated"],
    [3, "Inheritable", "string", "repeated"],
    [4, "Permitted", "string", "repeated"],
    [5, "Ambient", "string", "repeated"],
  ],
  create: () => ({
    Bounding: [],
    Effective: [],
    Inheritable: [],
    Permitted: [],
    Ambient: [],
  }),
};

export type POSIXRlimit = {
  Type: string;
  /** Hard before soft, unlike the JSON document. */
  Hard: bigint;
  Soft: bigint;
};
export const POSIXRlimit: MessageType<POSIXRlimit> = {
  name: "grpc.POSIXRlimit",
  fields: [
    [1, "Type", "string"],
    [2, "Hard", "uint64"],
    [3, "Soft", "uint64"],
  ],
  create: () => ({
    Type: "",
    Hard: 0n,
    Soft: 0n,
  }),
};

export type Mount = {
  destination: string;
  source: string;
  type: string;
  options: string[];
};
export const Mount: MessageType<Mount> = {
  name: "grpc.Mount",
  fields: [
    [1, "destination", "string"],
    [2, "source", "string"],
    [3, "type", "string"],
    [4, "options", "string", "repeated"],
  ],
  create: () => ({
    destination: "",
    source: "",
    type: "",
    options: [],
  }),
};

export type Root = {
  Path: string;
  Readonly: boolean;
};
export const Root: MessageType<Root> = {
  name: "grpc.Root",
  fields: [
    [1, "Path", "string"],
    [2, "Readonly", "bool"],
  ],
  create: () => ({
    Path: "",
    Readonly: false,
  }),
};

export type Hooks = {
  Prestart: Hook[];
  Poststart: Hook[];
  Poststop: Hook[];
  CreateRuntime: Hook[];
  CreateContainer: Hook[];
  StartContainer: Hook[];
};
export const Hooks: MessageType<Hooks> = {
  name: "grpc.Hooks",
  fields: [
    [1, "Prestart", "message", "repeated", () => Hook],
    [2, "Poststart", "message", "repeated", () => Hook],
    [3, "Poststop", "message", "repeated", () => Hook],
    [4, "CreateRuntime", "message", "repeated", () => Hook],
    [5, "CreateContainer", "message", "repeated", () => Hook],
    [6, "StartContainer", "message", "repeated", () => Hook],
  ],
  create: () => ({
    Prestart: [],
    Poststart: [],
    Poststop: [],
    CreateRuntime: [],
    CreateContainer: [],
    StartContainer: [],
  }),
};

export type Hook = {
  Path: string;
  Args: string[];
  Env: string[];
  /** Seconds; 0 = no limit. */
  Timeout: bigint;
};
export const Hook: MessageType<Hook> = {
  name: "grpc.Hook",
  fields: [
    [1, "Path", "string"],
    [2, "Args", "string", "repeated"],
    [3, "Env", "string", "repeated"],
    [4, "Timeout", "int64"],
  ],
  create: () => ({
    Path: "",
    Args: [],
    Env: [],
    Timeout: 0n,
  }),
};

export type Linux = {
  UIDMappings: LinuxIDMapping[];
  GIDMappings: LinuxIDMapping[];
  Sysctl: Map<string, string>;
  Resources: LinuxResources | undefined;
  CgroupsPath: string;
  Namespaces: LinuxNamespace[];
  Devices: LinuxDevice[];
  Seccomp: LinuxSeccomp | undefined;
  RootfsPropagation: string;
  MaskedPaths: string[];
  ReadonlyPaths: string[];
  MountLabel: string;
  IntelRdt: LinuxIntelRdt | undefined;
};
export const Linux: MessageType<Linux> = {
  name: "grpc.Linux",
  fields: [
    [1, "UIDMappings", "message", "repeated", () => LinuxIDMapping],
    [2, "GIDMappings", "message", "repeated", () => LinuxIDMapping],
    [3, "Sysctl", "string", "map"],
    [4, "Resources", "message", undefined, () => LinuxResources],
    [5, "CgroupsPath", "string"],
    [6, "Namespaces", "message", "repeated", () => LinuxNamespace],
    [7, "Devices", "message", "repeated", () => LinuxDevice],
    [8, "Seccomp", "message", undefined, () => LinuxSeccomp],
    [9, "RootfsPropagation", "string"],
    [10, "MaskedPaths", "string", "repeated"],
    [11, "ReadonlyPaths", "string", "repeated"],
    [12, "MountLabel", "string"],
    [13, "IntelRdt", "message", undefined, () => LinuxIntelRdt],
  ],
  create: () => ({
    UIDMappings: [],
    GIDMappings: [],
    Sysctl: new Map(),
    Resources: undefined,
    CgroupsPath: "",
    Namespaces: [],
    Devices: [],
    Seccomp: undefined,
    RootfsPropagation: "",
    MaskedPaths: [],
    ReadonlyPaths: [],
    MountLabel: "",
    IntelRdt: undefined,
  }),
};

export type LinuxIDMapping = {
  /** Host id first, unlike the JSON document. */
  HostID: number;
  ContainerID: number;
  Size: number;
};
export const LinuxIDMapping: MessageType<LinuxIDMapping> = {
  name: "grpc.LinuxIDMapping",
  fields: [
    [1, "HostID", "uint32"],
    [2, "ContainerID", "uint32"],
    [3, "Size", "uint32"],
  ],
  create: () => ({
    HostID: 0,
    ContainerID: 0,
    Size: 0,
  }),
};

export type LinuxNamespace = {
  Type: string;
  Path: string;
};
export const LinuxNamespace: MessageType<LinuxNamespace> = {
  name: "grpc.LinuxNamespace",
  fields: [
    [1, "Type", "string"],
    [2, "Path", "string"],
  ],
  create: () => ({
    Type: "",
    Path: "",
  }),
};

export type LinuxDevice = {
  Path: string;
  Type: string;
  Major: bigint;
  Minor: bigint;
  FileMode: number;
  UID: number;
  GID: number;
};
export const LinuxDevice: MessageType<LinuxDevice> = {
  name: "grpc.LinuxDevice",
  fields: [
    [1, "Path", "string"],
    [2, "Type", "string"],
    [3, "Major", "int64"],
    [4, "Minor", "int64"],
    [5, "FileMode", "uint32"],
    [6, "UID", "uint32"],
    [7, "GID", "uint32"],
  ],
  create: () => ({
    Path: "",
    Type: "",
    Major: 0n,
    Minor: 0n,
    FileMode: 0,
    UID: 0,
    GID: 0,
  }),
};

export type LinuxResources = {
  Devices: LinuxDeviceCgroup[];
  Memory: LinuxMemory | undefined;
  CPU: LinuxCPU | undefined;
  Pids: LinuxPids | undefined;
  BlockIO: LinuxBlockIO | undefined;
  HugepageLimits: LinuxHugepageLimit[];
  Network: LinuxNetwork | undefined;
};
export const LinuxResources: MessageType<LinuxResources> = {
  name: "grpc.LinuxResources",
  fields: [
    [1, "Devices", "message", "repeated", () => LinuxDeviceCgroup],
    [2, "Memory", "message", undefined, () => LinuxMemory],
    [3, "CPU", "message", undefined, () => LinuxCPU],
    [4, "Pids", "message", undefined, () => LinuxPids],
    [5, "BlockIO", "message", undefined, () => LinuxBlockIO],
    [6, "HugepageLimits", "message", "repeated", () => LinuxHugepageLimit],
    [7, "Network", "message", undefined, () => LinuxNetwork],
  ],
  create: () => ({
    Devices: [],
    Memory: undefined,
    CPU: undefined,
    Pids: undefined,
    BlockIO: undefined,
    HugepageLimits: [],
    Network: undefined,
  }),
};

/** Bytes; -1 = no limit. */
export type LinuxMemory = {
  Limit: bigint;
  Reservation: bigint;
  Swap: bigint;
  Kernel: bigint;
  KernelTCP: bigint;
  Swappiness: bigint;
  DisableOOMKiller: boolean;
};
export const LinuxMemory: MessageType<LinuxMemory> = {
  name: "grpc.LinuxMemory",
  fields: [
    [1, "Limit", "int64"],
    [2, "Reservation", "int64"],
    [3, "Swap", "int64"],
    [4, "Kernel", "int64"],
    [5, "KernelTCP", "int64"],
    [6, "Swappiness", "uint64"],
    [7, "DisableOOMKiller", "bool"],
  ],
  create: () => ({
    Limit: 0n,
    Reservation: 0n,
    Swap: 0n,
    Kernel: 0n,
    KernelTCP: 0n,
    Swappiness: 0n,
    DisableOOMKiller: false,
  }),
};

/** Times in microseconds. */
export type LinuxCPU = {
  Shares: bigint;
  Quota: bigint;
  Period: bigint;
  RealtimeRuntime: bigint;
  RealtimePeriod: bigint;
  Cpus: string;
  Mems: string;
};
export const LinuxCPU: MessageType<LinuxCPU> = {
  name: "grpc.LinuxCPU",
  fields: [
    [1, "Shares", "uint64"],
    [2, "Quota", "int64"],
    [3, "Period", "uint64"],
    [4, "RealtimeRuntime", "int64"],
    [5, "RealtimePeriod", "uint64"],
    [6, "Cpus", "string"],
    [7, "Mems", "string"],
  ],
  create: () => ({
    Shares: 0n,
    Quota: 0n,
    Period: 0n,
    RealtimeRuntime: 0n,
    RealtimePeriod: 0n,
    Cpus: "",
    Mems: "",
  }),
};

export type LinuxWeightDevice = {
  Major: bigint;
  Minor: bigint;
  Weight: number;
  LeafWeight: number;
};
export const LinuxWeightDevice: MessageType<LinuxWeightDevice> = {
  name: "grpc.LinuxWeightDevice",
  fields: [
    [1, "Major", "int64"],
    [2, "Minor", "int64"],
    [3, "Weight", "uint32"],
    [4, "LeafWeight", "uint32"],
  ],
  create: () => ({
    Major: 0n,
    Minor: 0n,
    Weight: 0,
    LeafWeight: 0,
  }),
};

export type LinuxThrottleDevice = {
  Major: bigint;
  Minor: bigint;
  Rate: bigint;
};
export const LinuxThrottleDevice: MessageType<LinuxThrottleDevice> = {
  name: "grpc.LinuxThrottleDevice",
  fields: [
    [1, "Major", "int64"],
    [2, "Minor", "int64"],
    [3, "Rate", "uint64"],
  ],
  create: () => ({
    Major: 0n,
    Minor: 0n,
    Rate: 0n,
  }),
};

export type LinuxBlockIO = {
  Weight: number;
  LeafWeight: number;
  WeightDevice: LinuxWeightDevice[];
  ThrottleReadBpsDevice: LinuxThrottleDevice[];
  ThrottleWriteBpsDevice: LinuxThrottleDevice[];
  ThrottleReadIOPSDevice: LinuxThrottleDevice[];
  ThrottleWriteIOPSDevice: LinuxThrottleDevice[];
};
export const LinuxBlockIO: MessageType<LinuxBlockIO> = {
  name: "grpc.LinuxBlockIO",
  fields: [
    [1, "Weight", "uint32"],
    [2, "LeafWeight", "uint32"],
    [3, "WeightDevice", "message", "repeated", () => LinuxWeightDevice],
    [4, "ThrottleReadBpsDevice", "message", "repeated", () => LinuxThrottleDevice],
    [5, "ThrottleWriteBpsDevice", "message", "repeated", () => LinuxThrottleDevice],
    [6, "ThrottleReadIOPSDevice", "message", "repeated", () => LinuxThrottleDevice],
    [7, "ThrottleWriteIOPSDevice", "message", "repeated", () => LinuxThrottleDevice],
  ],
  create: () => ({
    Weight: 0,
    LeafWeight: 0,
    WeightDevice: [],
    ThrottleReadBpsDevice: [],
    ThrottleWriteBpsDevice: [],
    ThrottleReadIOPSDevice: [],
    ThrottleWriteIOPSDevice: [],
  }),
};

export type LinuxPids = {
  Limit: bigint;
};
export const LinuxPids: MessageType<LinuxPids> = {
  name: "grpc.LinuxPids",
  fields: [
    [1, "Limit", "int64"],
  ],
  create: () => ({
    Limit: 0n,
  }),
};

/** One rule of the device controller. */
export type LinuxDeviceCgroup = {
  Allow: boolean;
  Type: string;
  Major: bigint;
  Minor: bigint;
  Access: string;
};
export const LinuxDeviceCgroup: MessageType<LinuxDeviceCgroup> = {
  name: "grpc.LinuxDeviceCgroup",
  fields: [
    [1, "Allow", "bool"],
    [2, "Type", "string"],
    [3, "Major", "int64"],
    [4, "Minor", "int64"],
    [5, "Access", "string"],
  ],
  create: () => ({
    Allow: false,
    Type: "",
    Major: 0n,
    Minor: 0n,
    Access: "",
  }),
};

export type LinuxNetwork = {
  ClassID: number;
  Priorities: LinuxInterfacePriority[];
};
export const LinuxNetwork: MessageType<LinuxNetwork> = {
  name: "grpc.LinuxNetwork",
  fields: [
    [1, "ClassID", "uint32"],
    [2, "Priorities", "message", "repeated", () => LinuxInterfacePriority],
  ],
  create: () => ({
    ClassID: 0,
    Priorities: [],
  }),
};

export type LinuxHugepageLimit = {
  Pagesize: string;
  Limit: bigint;
};
export const LinuxHugepageLimit: MessageType<LinuxHugepageLimit> = {
  name: "grpc.LinuxHugepageLimit",
  fields: [
    [1, "Pagesize", "string"],
    [2, "Limit", "uint64"],
  ],
  create: () => ({
    Pagesize: "",
    Limit: 0n,
  }),
};

export type LinuxInterfacePriority = {
  Name: string;
  Priority: number;
};
export const LinuxInterfacePriority: MessageType<LinuxInterfacePriority> = {
  name: "grpc.LinuxInterfacePriority",
  fields: [
    [1, "Name", "string"],
    [2, "Priority", "uint32"],
  ],
  create: () => ({
    Name: "",
    Priority: 0,
  }),
};

/** Which system calls are allowed. */
export type LinuxSeccomp = {
  DefaultAction: string;
  Architectures: string[];
  Flags: string[];
  Syscalls: LinuxSyscall[];
};
export const LinuxSeccomp: MessageType<LinuxSeccomp> = {
  name: "grpc.LinuxSeccomp",
  fields: [
    [1, "DefaultAction", "string"],
    [2, "Architectures", "string", "repeated"],
    [3, "Flags", "string", "repeated"],
    [4, "Syscalls", "message", "repeated", () => LinuxSyscall],
  ],
  create: () => ({
    DefaultAction: "",
    Architectures: [],
    Flags: [],
    Syscalls: [],
  }),
};

export type LinuxSeccompArg = {
  Index: bigint;
  Value: bigint;
  ValueTwo: bigint;
  Op: string;
};
export const LinuxSeccompArg: MessageType<LinuxSeccompArg> = {
  name: "grpc.LinuxSeccompArg",
  fields: [
    [1, "Index", "uint64"],
    [2, "Value", "uint64"],
    [3, "ValueTwo", "uint64"],
    [4, "Op", "string"],
  ],
  create: () => ({
    Index: 0n,
    Value: 0n,
    ValueTwo: 0n,
    Op: "",
  }),
};

export type LinuxSyscall = {
  Names: string[];
  Action: string;
  /** Error number of a refused call; absent = the default of the kernel library. */
  errnoret: number | undefined;
  Args: LinuxSeccompArg[];
};
export const LinuxSyscall: MessageType<LinuxSyscall> = {
  name: "grpc.LinuxSyscall",
  fields: [
    [1, "Names", "string", "repeated"],
    [2, "Action", "string"],
    [3, "errnoret", "uint32", "optional"],
    [4, "Args", "message", "repeated", () => LinuxSeccompArg],
  ],
  create: () => ({
    Names: [],
    Action: "",
    errnoret: undefined,
    Args: [],
  }),
};

export type LinuxIntelRdt = {
  L3CacheSchema: string;
};
export const LinuxIntelRdt: MessageType<LinuxIntelRdt> = {
  name: "grpc.LinuxIntelRdt",
  fields: [
    [1, "L3CacheSchema", "string"],
  ],
  create: () => ({
    L3CacheSchema: "",
  }),
};

export type Solaris = {
  dummy: string;
};
export const Solaris: MessageType<Solaris> = {
  name: "grpc.Solaris",
  fields: [
    [1, "dummy", "string"],
  ],
  create: () => ({
    dummy: "",
  }),
};

export type Windows = {
  dummy: string;
};
export const Windows: MessageType<Windows> = {
  name: "grpc.Windows",
  fields: [
    [1, "dummy", "string"],
  ],
  create: () => ({
    dummy: "",
  }),
};
