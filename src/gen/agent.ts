// Made by scripts/gen.ts from protos/. Do not edit: change the proto file and run the script.

import type { MessageType } from "./message-type.ts";
import { LinuxResources, Process, Spec } from "./oci.ts";
import { ARPNeighbor, Interface, Route } from "./types.ts";

/** First request of a sandbox. */
export type CreateSandboxRequest = {
  hostname: string;
  dns: string[];
  storages: Storage[];
  /** True: containers share one pid namespace, which the agent keeps. */
  sandbox_pidns: boolean;
  sandbox_id: string;
  /** Folder in the guest with OCI hooks to be added to every container. */
  guest_hook_path: string;
  kernel_modules: KernelModule[];
};
export const CreateSandboxRequest: MessageType<CreateSandboxRequest> = {
  name: "grpc.CreateSandboxRequest",
  fields: [
    [1, "hostname", "string"],
    [2, "dns", "string", "repeated"],
    [3, "storages", "message", "repeated", () => Storage],
    [4, "sandbox_pidns", "bool"],
    [5, "sandbox_id", "string"],
    [6, "guest_hook_path", "string"],
    [7, "kernel_modules", "message", "repeated", () => KernelModule],
  ],
  create: () => ({
    hostname: "",
    dns: [],
    storages: [],
    sandbox_pidns: false,
    sandbox_id: "",
    guest_hook_path: "",
    kernel_modules: [],
  }),
};

/** A kernel module to load before anything else, with its parameters. */
export type KernelModule = {
  name: string;
  parameters: string[];
};
export const KernelModule: MessageType<KernelModule> = {
  name: "grpc.KernelModule",
  fields: [
    [1, "name", "string"],
    [2, "parameters", "string", "repeated"],
  ],
  create: () => ({
    name: "",
    parameters: [],
  }),
};

/** Last request: the guest flushes and powers off. */
export type DestroySandboxRequest = Record<never, never>;
export const DestroySandboxRequest: MessageType<DestroySandboxRequest> = {
  name: "grpc.DestroySandboxRequest",
  fields: [],
  create: () => ({}),
};

/** Makes a container with its init process, which then waits for StartContainer. */
export type CreateContainerRequest = {
  container_id: string;
  /** Name of the init process among the processes of the container; callers send the container id. */
  exec_id: string;
  /** User and groups by name; no caller fills it today. */
  string_user: StringUser | undefined;
  devices: Device[];
  storages: Storage[];
  /** The whole OCI configuration of the container; required. */
  OCI: Spec | undefined;
  /** True: the container joins the pid namespace of the sandbox. */
  sandbox_pidns: boolean;
  shared_mounts: SharedMount[];
  /** VSOCK ports for stdio without RPC; 0 = use WriteStdin, ReadStdout and ReadStderr. */
  stdin_port: number;
  stdout_port: number;
  stderr_port: number;
};
export const CreateContainerRequest: MessageType<CreateContainerRequest> = {
  name: "grpc.CreateContainerRequest",
  fields: [
    [1, "container_id", "string"],
    [2, "exec_id", "string"],
    [3, "string_user", "message", undefined, () => StringUser],
    [4, "devices", "message", "repeated", () => Device],
    [5, "storages", "message", "repeated", () => Storage],
    [6, "OCI", "message", undefined, () => Spec],
    [7, "sandbox_pidns", "bool"],
    [8, "shared_mounts", "message", "repeated", () => SharedMount],
    [9, "stdin_port", "uint32"],
    [10, "stdout_port", "uint32"],
    [11, "stderr_port", "uint32"],
  ],
  create: () => ({
    container_id: "",
    exec_id: "",
    string_user: undefined,
    devices: [],
    storages: [],
    OCI: undefined,
    sandbox_pidns: false,
    shared_mounts: [],
    stdin_port: 0,
    stdout_port: 0,
    stderr_port: 0,
  }),
};

export type StringUser = {
  uid: string;
  gid: string;
  additionalGids: string[];
};
export const StringUser: MessageType<StringUser> = {
  name: "grpc.StringUser",
  fields: [
    [1, "uid", "string"],
    [2, "gid", "string"],
    [3, "additionalGids", "string", "repeated"],
  ],
  create: () => ({
    uid: "",
    gid: "",
    additionalGids: [],
  }),
};

/** A device that the runtime has plugged in for the container. */
export type Device = {
  id: string;
  /** Driver that finds the device, such as blk, scsi or vfio-pci. */
  type: string;
  /** Node in the guest, when the caller knows it. */
  vm_path: string;
  /** Node as the container shall see it. */
  container_path: string;
  options: string[];
};
export const Device: MessageType<Device> = {
  name: "grpc.Device",
  fields: [
    [1, "id", "string"],
    [2, "type", "string"],
    [3, "vm_path", "string"],
    [4, "container_path", "string"],
    [5, "options", "string", "repeated"],
  ],
  create: () => ({
    id: "",
    type: "",
    vm_path: "",
    container_path: "",
    options: [],
  }),
};

/** A mount of one container that another one gets as well. */
export type SharedMount = {
  name: string;
  /** Container whose mount is wanted, and its path there. */
  src_ctr: string;
  src_path: string;
  /** Container that gets it, and the path there. */
  dst_ctr: string;
  dst_path: string;
};
export const SharedMount: MessageType<SharedMount> = {
  name: "grpc.SharedMount",
  fields: [
    [1, "name", "string"],
    [2, "src_ctr", "string"],
    [3, "src_path", "string"],
    [4, "dst_ctr", "string"],
    [5, "dst_path", "string"],
  ],
  create: () => ({
    name: "",
    src_ctr: "",
    src_path: "",
    dst_ctr: "",
    dst_path: "",
  }),
};

export type StartContainerRequest = {
  container_id: string;
};
export const StartContainerRequest: MessageType<StartContainerRequest> = {
  name: "grpc.StartContainerRequest",
  fields: [
    [1, "container_id", "string"],
  ],
  create: () => ({
    container_id: "",
  }),
};

export type RemoveContainerRequest = {
  container_id: string;
  /** Seconds to wait for the end of the container; 0 = no limit. */
  timeout: number;
};
export const RemoveContainerRequest: MessageType<RemoveContainerRequest> = {
  name: "grpc.RemoveContainerRequest",
  fields: [
    [1, "container_id", "string"],
    [2, "timeout", "uint32"],
  ],
  create: () => ({
    container_id: "",
    timeout: 0,
  }),
};

export type UpdateContainerRequest = {
  container_id: string;
  resources: LinuxResources | undefined;
};
export const UpdateContainerRequest: MessageType<UpdateContainerRequest> = {
  name: "grpc.UpdateContainerRequest",
  fields: [
    [1, "container_id", "string"],
    [2, "resources", "message", undefined, () => LinuxResources],
  ],
  create: () => ({
    container_id: "",
    resources: undefined,
  }),
};

export type PauseContainerRequest = {
  container_id: string;
};
export const PauseContainerRequest: MessageType<PauseContainerRequest> = {
  name: "grpc.PauseContainerRequest",
  fields: [
    [1, "container_id", "string"],
  ],
  create: () => ({
    container_id: "",
  }),
};

export type ResumeContainerRequest = {
  container_id: string;
};
export const ResumeContainerRequest: MessageType<ResumeContainerRequest> = {
  name: "grpc.ResumeContainerRequest",
  fields: [
    [1, "container_id", "string"],
  ],
  create: () => ({
    container_id: "",
  }),
};

export type StatsContainerRequest = {
  container_id: string;
};
export const StatsContainerRequest: MessageType<StatsContainerRequest> = {
  name: "grpc.StatsContainerRequest",
  fields: [
    [1, "container_id", "string"],
  ],
  create: () => ({
    container_id: "",
  }),
};

export type StatsContainerResponse = {
  cgroup_stats: CgroupStats | undefined;
  network_stats: NetworkStats[];
};
export const StatsContainerResponse: MessageType<StatsContainerResponse> = {
  name: "grpc.StatsContainerResponse",
  fields: [
    [1, "cgroup_stats", "message", undefined, () => CgroupStats],
    [2, "network_stats", "message", "repeated", () => NetworkStats],
  ],
  create: () => ({
    cgroup_stats: undefined,
    network_stats: [],
  }),
};

export type CgroupStats = {
  cpu_stats: CpuStats | undefined;
  memory_stats: MemoryStats | undefined;
  pids_stats: PidsStats | undefined;
  blkio_stats: BlkioStats | undefined;
  /** By page size, such as "2MB". */
  hugetlb_stats: Map<string, HugetlbStats>;
};
export const CgroupStats: MessageType<CgroupStats> = {
  name: "grpc.CgroupStats",
  fields: [
    [1, "cpu_stats", "message", undefined, () => CpuStats],
    [2, "memory_stats", "message", undefined, () => MemoryStats],
    [3, "pids_stats", "message", undefined, () => PidsStats],
    [4, "blkio_stats", "message", undefined, () => BlkioStats],
    [5, "hugetlb_stats", "message", "map", () => HugetlbStats],
  ],
  create: () => ({
    cpu_stats: undefined,
    memory_stats: undefined,
    pids_stats: undefined,
    blkio_stats: undefined,
    hugetlb_stats: new Map(),
  }),
};

export type CpuStats = {
  cpu_usage: CpuUsage | undefined;
  throttling_data: ThrottlingData | undefined;
};
export const CpuStats: MessageType<CpuStats> = {
  name: "grpc.CpuStats",
  fields: [
    [1, "cpu_usage", "message", undefined, () => CpuUsage],
    [2, "throttling_data", "message", undefined, () => ThrottlingData],
  ],
  create: () => ({
    cpu_usage: undefined,
    throttling_data: undefined,
  }),
};

export type CpuUsage = {
  /** Nanoseconds, as are all fields of this message. */
  total_usage: bigint;
  percpu_usage: bigint[];
  usage_in_kernelmode: bigint;
  usage_in_usermode: bigint;
};
export const CpuUsage: MessageType<CpuUsage> = {
  name: "grpc.CpuUsage",
  fields: [
    [1, "total_usage", "uint64"],
    [2, "percpu_usage", "uint64", "repeated"],
    [3, "usage_in_kernelmode", "uint64"],
    [4, "usage_in_usermode", "uint64"],
  ],
  create: () => ({
    total_usage: 0n,
    percpu_usage: [],
    usage_in_kernelmode: 0n,
    usage_in_usermode: 0n,
  }),
};

export type ThrottlingData = {
  periods: bigint;
  throttled_periods: bigint;
  /** Nanoseconds. */
  throttled_time: bigint;
};
export const ThrottlingData: MessageType<ThrottlingData> = {
  name: "grpc.ThrottlingData",
  fields: [
    [1, "periods", "uint64"],
    [2, "throttled_periods", "uint64"],
    [3, "throttled_time", "uint64"],
  ],
  create: () => ({
    periods: 0n,
    throttled_periods: 0n,
    throttled_time: 0n,
  }),
};

export type MemoryStats = {
  cache: bigint;
  usage: MemoryData | undefined;
  swap_usage: MemoryData | undefined;
  kernel_usage: MemoryData | undefined;
  use_hierarchy: boolean;
  stats: Map<string, bigint>;
};
export const MemoryStats: MessageType<MemoryStats> = {
  name: "grpc.MemoryStats",
  fields: [
    [1, "cache", "uint64"],
    [2, "usage", "message", undefined, () => MemoryData],
    [3, "swap_usage", "message", undefined, () => MemoryData],
    [4, "kernel_usage", "message", undefined, () => MemoryData],
    [5, "use_hierarchy", "bool"],
    [6, "stats", "uint64", "map"],
  ],
  create: () => ({
    cache: 0n,
    usage: undefined,
    swap_usage: undefined,
    kernel_usage: undefined,
    use_hierarchy: false,
    stats: new Map(),
  }),
};

export type MemoryData = {
  /** Bytes, but for the failure count. */
  usage: bigint;
  max_usage: bigint;
  failcnt: bigint;
  limit: bigint;
};
export const MemoryData: MessageType<MemoryData> = {
  name: "grpc.MemoryData",
  fields: [
    [1, "usage", "uint64"],
    [2, "max_usage", "uint64"],
    [3, "failcnt", "uint64"],
    [4, "limit", "uint64"],
  ],
  create: () => ({
    usage: 0n,
    max_usage: 0n,
    failcnt: 0n,
    limit: 0n,
  }),
};

export type PidsStats = {
  current: bigint;
  limit: bigint;
};
export const PidsStats: MessageType<PidsStats> = {
  name: "grpc.PidsStats",
  fields: [
    [1, "current", "uint64"],
    [2, "limit", "uint64"],
  ],
  create: () => ({
    current: 0n,
    limit: 0n,
  }),
};

export type BlkioStats = {
  io_service_bytes_recursive: BlkioStatsEntry[];
  io_serviced_recursive: BlkioStatsEntry[];
  io_queued_recursive: BlkioStatsEntry[];
  io_service_time_recursive: BlkioStatsEntry[];
  io_wait_time_recursive: BlkioStatsEntry[];
  io_merged_recursive: BlkioStatsEntry[];
  io_time_recursive: BlkioStatsEntry[];
  sectors_recursive: BlkioStatsEntry[];
};
export const BlkioStats: MessageType<BlkioStats> = {
  name: "grpc.BlkioStats",
  fields: [
    [1, "io_service_bytes_recursive", "message", "repeated", () => BlkioStatsEntry],
    [2, "io_serviced_recursive", "message", "repeated", () => BlkioStatsEntry],
    [3, "io_queued_recursive", "message", "repeated", () => BlkioStatsEntry],
    [4, "io_service_time_recursive", "message", "repeated", () => BlkioStatsEntry],
    [5, "io_wait_time_recursive", "message", "repeated", () => BlkioStatsEntry],
    [6, "io_merged_recursive", "message", "repeated", () => BlkioStatsEntry],
    [7, "io_time_recursive", "message", "repeated", () => BlkioStatsEntry],
    [8, "sectors_recursive", "message", "repeated", () => BlkioStatsEntry],
  ],
  create: () => ({
    io_service_bytes_recursive: [],
    io_serviced_recursive: [],
    io_queued_recursive: [],
    io_service_time_recursive: [],
    io_wait_time_recursive: [],
    io_merged_recursive: [],
    io_time_recursive: [],
    sectors_recursive: [],
  }),
};

export type BlkioStatsEntry = {
  major: bigint;
  minor: bigint;
  op: string;
  value: bigint;
};
export const BlkioStatsEntry: MessageType<BlkioStatsEntry> = {
  name: "grpc.BlkioStatsEntry",
  fields: [
    [1, "major", "uint64"],
    [2, "minor", "uint64"],
    [3, "op", "string"],
    [4, "value", "uint64"],
  ],
  create: () => ({
    major: 0n,
    minor: 0n,
    op: "",
    value: 0n,
  }),
};

export type HugetlbStats = {
  usage: bigint;
  max_usage: bigint;
  failcnt: bigint;
};
export const HugetlbStats: MessageType<HugetlbStats> = {
  name: "grpc.HugetlbStats",
  fields: [
    [1, "usage", "uint64"],
    [2, "max_usage", "uint64"],
    [3, "failcnt", "uint64"],
  ],
  create: () => ({
    usage: 0n,
    max_usage: 0n,
    failcnt: 0n,
  }),
};

/** Counters of one interface of the guest. */
export type NetworkStats = {
  name: string;
  rx_bytes: bigint;
  rx_packets: bigint;
  rx_errors: bigint;
  rx_dropped: bigint;
  tx_bytes: bigint;
  tx_packets: bigint;
  tx_errors: bigint;
  tx_dropped: bigint;
};
export const NetworkStats: MessageType<NetworkStats> = {
  name: "grpc.NetworkStats",
  fields: [
    [1, "name", "string"],
    [2, "rx_bytes", "uint64"],
    [3, "rx_packets", "uint64"],
    [4, "rx_errors", "uint64"],
    [5, "rx_dropped", "uint64"],
    [6, "tx_bytes", "uint64"],
    [7, "tx_packets", "uint64"],
    [8, "tx_errors", "uint64"],
    [9, "tx_dropped", "uint64"],
  ],
  create: () => ({
    name: "",
    rx_bytes: 0n,
    rx_packets: 0n,
    rx_errors: 0n,
    rx_dropped: 0n,
    tx_bytes: 0n,
    tx_packets: 0n,
    tx_errors: 0n,
    tx_dropped: 0n,
  }),
};

/** Starts one more process in a running container. */
export type ExecProcessRequest = {
  container_id: string;
  exec_id: string;
  string_user: StringUser | undefined;
  process: Process | undefined;
  stdin_port: number;
  stdout_port: number;
  stderr_port: number;
};
export const ExecProcessRequest: MessageType<ExecProcessRequest> = {
  name: "grpc.ExecProcessRequest",
  fields: [
    [1, "container_id", "string"],
    [2, "exec_id", "string"],
    [3, "string_user", "message", undefined, () => StringUser],
    [4, "process", "message", undefined, () => Process],
    [5, "stdin_port", "uint32"],
    [6, "stdout_port", "uint32"],
    [7, "stderr_port", "uint32"],
  ],
  create: () => ({
    container_id: "",
    exec_id: "",
    string_user: undefined,
    process: undefined,
    stdin_port: 0,
    stdout_port: 0,
    stderr_port: 0,
  }),
};

export type SignalProcessRequest = {
  container_id: string;
  /** Empty: the init process of the container. */
  exec_id: string;
  /** Linux signal number. */
  signal: number;
};
export const SignalProcessRequest: MessageType<SignalProcessRequest> = {
  name: "grpc.SignalProcessRequest",
  fields: [
    [1, "container_id", "string"],
    [2, "exec_id", "string"],
    [3, "signal", "uint32"],
  ],
  create: () => ({
    container_id: "",
    exec_id: "",
    signal: 0,
  }),
};

export type WaitProcessRequest = {
  container_id: string;
  exec_id: string;
};
export const WaitProcessRequest: MessageType<WaitProcessRequest> = {
  name: "grpc.WaitProcessRequest",
  fields: [
    [1, "container_id", "string"],
    [2, "exec_id", "string"],
  ],
  create: () => ({
    container_id: "",
    exec_id: "",
  }),
};

export type WaitProcessResponse = {
  /** Exit code, or 128 + signal number. */
  status: number;
};
export const WaitProcessResponse: MessageType<WaitProcessResponse> = {
  name: "grpc.WaitProcessResponse",
  fields: [
    [1, "status", "int32"],
  ],
  create: () => ({
    status: 0,
  }),
};

export type WriteStreamRequest = {
  container_id: string;
  exec_id: string;
  data: Uint8Array;
};
export const WriteStreamRequest: MessageType<WriteStreamRequest> = {
  name: "grpc.WriteStreamRequest",
  fields: [
    [1, "container_id", "string"],
    [2, "exec_id", "string"],
    [3, "data", "bytes"],
  ],
  create: () => ({
    container_id: "",
    exec_id: "",
    data: new Uint8Array(0),
  }),
};

export type WriteStreamResponse = {
  /** Bytes that were taken. */
  len: number;
};
export const WriteStreamResponse: MessageType<WriteStreamResponse> = {
  name: "grpc.WriteStreamResponse",
  fields: [
    [1, "len", "uint32"],
  ],
  create: () => ({
    len: 0,
  }),
};

export type ReadStreamRequest = {
  container_id: string;
  exec_id: string;
  /** At most so many bytes are wanted. */
  len: number;
};
export const ReadStreamRequest: MessageType<ReadStreamRequest> = {
  name: "grpc.ReadStreamRequest",
  fields: [
    [1, "container_id", "string"],
    [2, "exec_id", "string"],
    [3, "len", "uint32"],
  ],
  create: () => ({
    container_id: "",
    exec_id: "",
    len: 0,
  }),
};

export type ReadStreamResponse = {
  data: Uint8Array;
};
export const ReadStreamResponse: MessageType<ReadStreamResponse> = {
  name: "grpc.ReadStreamResponse",
  fields: [
    [1, "data", "bytes"],
  ],
  create: () => ({
    data: new Uint8Array(0),
  }),
};

export type CloseStdinRequest = {
  container_id: string;
  exec_id: string;
};
export const CloseStdinRequest: MessageType<CloseStdinRequest> = {
  name: "grpc.CloseStdinRequest",
  fields: [
    [1, "container_id", "string"],
    [2, "exec_id", "string"],
  ],
  create: () => ({
    container_id: "",
    exec_id: "",
  }),
};

export type TtyWinResizeRequest = {
  container_id: string;
  exec_id: string;
  /** Character cells. */
  row: number;
  column: number;
};
export const TtyWinResizeRequest: MessageType<TtyWinResizeRequest> = {
  name: "grpc.TtyWinResizeRequest",
  fields: [
    [1, "container_id", "string"],
    [2, "exec_id", "string"],
    [3, "row", "uint32"],
    [4, "column", "uint32"],
  ],
  create: () => ({
    container_id: "",
    exec_id: "",
    row: 0,
    column: 0,
  }),
};

/** Something to mount, for the sandbox or for one container. */
export type Storage = {
  /** Who handles it: blk, scsi, ephemeral, local, virtio-fs, bind and others. */
  driver: string;
  /** Words for the driver, in the form key=value. */
  driver_options: string[];
  source: string;
  fstype: string;
  /** Mount options. */
  options: string[];
  mount_point: string;
  fs_group: FSGroup | undefined;
  /** True: several containers use the mount, and the last one releases it. */
  shared: boolean;
};
export const Storage: MessageType<Storage> = {
  name: "grpc.Storage",
  fields: [
    [1, "driver", "string"],
    [2, "driver_options", "string", "repeated"],
    [3, "source", "string"],
    [4, "fstype", "string"],
    [5, "options", "string", "repeated"],
    [6, "mount_point", "string"],
    [7, "fs_group", "message", undefined, () => FSGroup],
    [8, "shared", "bool"],
  ],
  create: () => ({
    driver: "",
    driver_options: [],
    source: "",
    fstype: "",
    options: [],
    mount_point: "",
    fs_group: undefined,
    shared: false,
  }),
};

/** Group that shall own the files of a volume. */
export type FSGroup = {
  group_id: number;
  group_change_policy: number;
};
export const FSGroup: MessageType<FSGroup> = {
  name: "grpc.FSGroup",
  fields: [
    [2, "group_id", "uint32"],
    [3, "group_change_policy", "enum"],
  ],
  create: () => ({
    group_id: 0,
    group_change_policy: 0,
  }),
};

export type UpdateEphemeralMountsRequest = {
  storages: Storage[];
};
export const UpdateEphemeralMountsRequest: MessageType<UpdateEphemeralMountsRequest> = {
  name: "grpc.UpdateEphemeralMountsRequest",
  fields: [
    [1, "storages", "message", "repeated", () => Storage],
  ],
  create: () => ({
    storages: [],
  }),
};

export type RemoveStaleVirtiofsShareMountsRequest = Record<never, never>;
export const RemoveStaleVirtiofsShareMountsRequest: MessageType<RemoveStaleVirtiofsShareMountsRequest> = {
  name: "grpc.RemoveStaleVirtiofsShareMountsRequest",
  fields: [],
  create: () => ({}),
};

/** A file, folder or symbolic link for the shared folder of the guest. */
export type CopyFileRequest = {
  path: string;
  /** Size of the whole file; the data of one request may be a part of it. */
  file_size: bigint;
  /** Type and permission bits as in stat(2). */
  file_mode: number;
  dir_mode: number;
  uid: number;
  gid: number;
  /** Where in the file the data goes, in bytes. */
  offset: bigint;
  /** File contents, or the target of a symbolic link. */
  data: Uint8Array;
};
export const CopyFileRequest: MessageType<CopyFileRequest> = {
  name: "grpc.CopyFileRequest",
  fields: [
    [1, "path", "string"],
    [2, "file_size", "int64"],
    [3, "file_mode", "uint32"],
    [4, "dir_mode", "uint32"],
    [5, "uid", "int32"],
    [6, "gid", "int32"],
    [7, "offset", "int64"],
    [8, "data", "bytes"],
  ],
  create: () => ({
    path: "",
    file_size: 0n,
    file_mode: 0,
    dir_mode: 0,
    uid: 0,
    gid: 0,
    offset: 0n,
    data: new Uint8Array(0),
  }),
};

export type VolumeStatsRequest = {
  volume_guest_path: string;
};
export const VolumeStatsRequest: MessageType<VolumeStatsRequest> = {
  name: "grpc.VolumeStatsRequest",
  fields: [
    [1, "volume_guest_path", "string"],
  ],
  create: () => ({
    volume_guest_path: "",
  }),
};

export type ResizeVolumeRequest = {
  volume_guest_path: string;
  size: bigint;
};
export const ResizeVolumeRequest: MessageType<ResizeVolumeRequest> = {
  name: "grpc.ResizeVolumeRequest",
  fields: [
    [1, "volume_guest_path", "string"],
    [2, "size", "uint64"],
  ],
  create: () => ({
    volume_guest_path: "",
    size: 0n,
  }),
};

export type AddSwapRequest = {
  /** Slot numbers from the root bus to the device. */
  PCIPath: number[];
};
export const AddSwapRequest: MessageType<AddSwapRequest> = {
  name: "grpc.AddSwapRequest",
  fields: [
    [1, "PCIPath", "uint32", "repeated"],
  ],
  create: () => ({
    PCIPath: [],
  }),
};

export type AddSwapPathRequest = {
  path: string;
};
export const AddSwapPathRequest: MessageType<AddSwapPathRequest> = {
  name: "grpc.AddSwapPathRequest",
  fields: [
    [1, "path", "string"],
  ],
  create: () => ({
    path: "",
  }),
};

export type UpdateInterfaceRequest = {
  interface: Interface | undefined;
};
export const UpdateInterfaceRequest: MessageType<UpdateInterfaceRequest> = {
  name: "grpc.UpdateInterfaceRequest",
  fields: [
    [1, "interface", "message", undefined, () => Interface],
  ],
  create: () => ({
    interface: undefined,
  }),
};

export type UpdateRoutesRequest = {
  routes: Routes | undefined;
};
export const UpdateRoutesRequest: MessageType<UpdateRoutesRequest> = {
  name: "grpc.UpdateRoutesRequest",
  fields: [
    [1, "routes", "message", undefined, () => Routes],
  ],
  create: () => ({
    routes: undefined,
  }),
};

export type ListInterfacesRequest = Record<never, never>;
export const ListInterfacesRequest: MessageType<ListInterfacesRequest> = {
  name: "grpc.ListInterfacesRequest",
  fields: [],
  create: () => ({}),
};

export type ListRoutesRequest = Record<never, never>;
export const ListRoutesRequest: MessageType<ListRoutesRequest> = {
  name: "grpc.ListRoutesRequest",
  fields: [],
  create: () => ({}),
};

export type Interfaces = {
  Interfaces: Interface[];
};
export const Interfaces: MessageType<Interfaces> = {
  name: "grpc.Interfaces",
  fields: [
    [1, "Interfaces", "message", "repeated", () => Interface],
  ],
  create: () => ({
    Interfaces: [],
  }),
};

export type Routes = {
  Routes: Route[];
};
export const Routes: MessageType<Routes> = {
  name: "grpc.Routes",
  fields: [
    [1, "Routes", "message", "repeated", () => Route],
  ],
  create: () => ({
    Routes: [],
  }),
};

export type ARPNeighbors = {
  ARPNeighbors: ARPNeighbor[];
};
export const ARPNeighbors: MessageType<ARPNeighbors> = {
  name: "grpc.ARPNeighbors",
  fields: [
    [1, "ARPNeighbors", "message", "repeated", () => ARPNeighbor],
  ],
  create: () => ({
    ARPNeighbors: [],
  }),
};

export type AddARPNeighborsRequest = {
  neighbors: ARPNeighbors | undefined;
};
export const AddARPNeighborsRequest: MessageType<AddARPNeighborsRequest> = {
  name: "grpc.AddARPNeighborsRequest",
  fields: [
    [1, "neighbors", "message", undefined, () => ARPNeighbors],
  ],
  create: () => ({
    neighbors: undefined,
  }),
};

export type GetIPTablesRequest = {
  is_ipv6: boolean;
};
export const GetIPTablesRequest: MessageType<GetIPTablesRequest> = {
  name: "grpc.GetIPTablesRequest",
  fields: [
    [1, "is_ipv6", "bool"],
  ],
  create: () => ({
    is_ipv6: false,
  }),
};

export type GetIPTablesResponse = {
  data: Uint8Array;
};
export const GetIPTablesResponse: MessageType<GetIPTablesResponse> = {
  name: "grpc.GetIPTablesResponse",
  fields: [
    [1, "data", "bytes"],
  ],
  create: () => ({
    data: new Uint8Array(0),
  }),
};

export type SetIPTablesRequest = {
  is_ipv6: boolean;
  data: Uint8Array;
};
export const SetIPTablesRequest: MessageType<SetIPTablesRequest> = {
  name: "grpc.SetIPTablesRequest",
  fields: [
    [1, "is_ipv6", "bool"],
    [2, "data", "bytes"],
  ],
  create: () => ({
    is_ipv6: false,
    data: new Uint8Array(0),
  }),
};

export type SetIPTablesResponse = {
  data: Uint8Array;
};
export const SetIPTablesResponse: MessageType<SetIPTablesResponse> = {
  name: "grpc.SetIPTablesResponse",
  fields: [
    [1, "data", "bytes"],
  ],
  create: () => ({
    data: new Uint8Array(0),
  }),
};

/** Brings plugged CPUs and memory online. */
export type OnlineCPUMemRequest = {
  wait: boolean;
  /** So many CPUs are expected to come; 0 = whatever is there. */
  nb_cpus: number;
  /** True: leave the memory alone. */
  cpu_only: boolean;
};
export const OnlineCPUMemRequest: MessageType<OnlineCPUMemRequest> = {
  name: "grpc.OnlineCPUMemRequest",
  fields: [
    [1, "wait", "bool"],
    [2, "nb_cpus", "uint32"],
    [3, "cpu_only", "bool"],
  ],
  create: () => ({
    wait: false,
    nb_cpus: 0,
    cpu_only: false,
  }),
};

export type MemHotplugByProbeRequest = {
  /** Physical addresses of the new memory blocks. */
  memHotplugProbeAddr: bigint[];
};
export const MemHotplugByProbeRequest: MessageType<MemHotplugByProbeRequest> = {
  name: "grpc.MemHotplugByProbeRequest",
  fields: [
    [1, "memHotplugProbeAddr", "uint64", "repeated"],
  ],
  create: () => ({
    memHotplugProbeAddr: [],
  }),
};

export type GuestDetailsRequest = {
  /** True: the size of a memory block is wanted. */
  mem_block_size: boolean;
  /** True: the caller asks whether the kernel has the memory probe file. */
  mem_hotplug_probe: boolean;
};
export const GuestDetailsRequest: MessageType<GuestDetailsRequest> = {
  name: "grpc.GuestDetailsRequest",
  fields: [
    [1, "mem_block_size", "bool"],
    [2, "mem_hotplug_probe", "bool"],
  ],
  create: () => ({
    mem_block_size: false,
    mem_hotplug_probe: false,
  }),
};

export type GuestDetailsResponse = {
  mem_block_size_bytes: bigint;
  agent_details: AgentDetails | undefined;
  support_mem_hotplug_probe: boolean;
};
export const GuestDetailsResponse: MessageType<GuestDetailsResponse> = {
  name: "grpc.GuestDetailsResponse",
  fields: [
    [1, "mem_block_size_bytes", "uint64"],
    [2, "agent_details", "message", undefined, () => AgentDetails],
    [3, "support_mem_hotplug_probe", "bool"],
  ],
  create: () => ({
    mem_block_size_bytes: 0n,
    agent_details: undefined,
    support_mem_hotplug_probe: false,
  }),
};

export type AgentDetails = {
  version: string;
  init_daemon: boolean;
  device_handlers: string[];
  storage_handlers: string[];
  supports_seccomp: boolean;
  extra_features: string[];
};
export const AgentDetails: MessageType<AgentDetails> = {
  name: "grpc.AgentDetails",
  fields: [
    [1, "version", "string"],
    [2, "init_daemon", "bool"],
    [3, "device_handlers", "string", "repeated"],
    [4, "storage_handlers", "string", "repeated"],
    [5, "supports_seccomp", "bool"],
    [6, "extra_features", "string", "repeated"],
  ],
  create: () => ({
    version: "",
    init_daemon: false,
    device_handlers: [],
    storage_handlers: [],
    supports_seccomp: false,
    extra_features: [],
  }),
};

export type ReseedRandomDevRequest = {
  data: Uint8Array;
};
export const ReseedRandomDevRequest: MessageType<ReseedRandomDevRequest> = {
  name: "grpc.ReseedRandomDevRequest",
  fields: [
    [2, "data", "bytes"],
  ],
  create: () => ({
    data: new Uint8Array(0),
  }),
};

export type SetGuestDateTimeRequest = {
  /** Seconds since the epoch. */
  Sec: bigint;
  /** Microseconds within the second. */
  Usec: bigint;
};
export const SetGuestDateTimeRequest: MessageType<SetGuestDateTimeRequest> = {
  name: "grpc.SetGuestDateTimeRequest",
  fields: [
    [1, "Sec", "int64"],
    [2, "Usec", "int64"],
  ],
  create: () => ({
    Sec: 0n,
    Usec: 0n,
  }),
};

export type SetPolicyRequest = {
  policy: string;
};
export const SetPolicyRequest: MessageType<SetPolicyRequest> = {
  name: "grpc.SetPolicyRequest",
  fields: [
    [1, "policy", "string"],
  ],
  create: () => ({
    policy: "",
  }),
};

export type GetOOMEventRequest = Record<never, never>;
export const GetOOMEventRequest: MessageType<GetOOMEventRequest> = {
  name: "grpc.GetOOMEventRequest",
  fields: [],
  create: () => ({}),
};

export type OOMEvent = {
  container_id: string;
};
export const OOMEvent: MessageType<OOMEvent> = {
  name: "grpc.OOMEvent",
  fields: [
    [1, "container_id", "string"],
  ],
  create: () => ({
    container_id: "",
  }),
};

export type GetMetricsRequest = Record<never, never>;
export const GetMetricsRequest: MessageType<GetMetricsRequest> = {
  name: "grpc.GetMetricsRequest",
  fields: [],
  create: () => ({}),
};

export type Metrics = {
  /** Prometheus text format. */
  metrics: string;
};
export const Metrics: MessageType<Metrics> = {
  name: "grpc.Metrics",
  fields: [
    [1, "metrics", "string"],
  ],
  create: () => ({
    metrics: "",
  }),
};

export type StartTracingRequest = Record<never, never>;
export const StartTracingRequest: MessageType<StartTracingRequest> = {
  name: "grpc.StartTracingRequest",
  fields: [],
  create: () => ({}),
};

export type StopTracingRequest = Record<never, never>;
export const StopTracingRequest: MessageType<StopTracingRequest> = {
  name: "grpc.StopTracingRequest",
  fields: [],
  create: () => ({}),
};

export type GetDiagnosticDataRequest = {
  /** What is wanted, such as the termination log of a container. */
  log_type: string;
  container_id: string;
};
export const GetDiagnosticDataRequest: MessageType<GetDiagnosticDataRequest> = {
  name: "grpc.GetDiagnosticDataRequest",
  fields: [
    [1, "log_type", "string"],
    [2, "container_id", "string"],
  ],
  create: () => ({
    log_type: "",
    container_id: "",
  }),
};

export type GetDiagnosticDataResponse = {
  data: string;
};
export const GetDiagnosticDataResponse: MessageType<GetDiagnosticDataResponse> = {
  name: "grpc.GetDiagnosticDataResponse",
  fields: [
    [1, "data", "string"],
  ],
  create: () => ({
    data: "",
  }),
};

/** Absent fields leave a setting as it is. */
export type MemAgentMemcgConfig = {
  disabled: boolean | undefined;
  swap: boolean | undefined;
  swappiness_max: number | undefined;
  period_secs: bigint | undefined;
  period_psi_percent_limit: number | undefined;
  eviction_psi_percent_limit: number | undefined;
  eviction_run_aging_count_min: bigint | undefined;
};
export const MemAgentMemcgConfig: MessageType<MemAgentMemcgConfig> = {
  name: "grpc.MemAgentMemcgConfig",
  fields: [
    [1, "disabled", "bool", "optional"],
    [2, "swap", "bool", "optional"],
    [3, "swappiness_max", "uint32", "optional"],
    [4, "period_secs", "uint64", "optional"],
    [5, "period_psi_percent_limit", "uint32", "optional"],
    [6, "eviction_psi_percent_limit", "uint32", "optional"],
    [7, "eviction_run_aging_count_min", "uint64", "optional"],
  ],
  create: () => ({
    disabled: undefined,
    swap: undefined,
    swappiness_max: undefined,
    period_secs: undefined,
    period_psi_percent_limit: undefined,
    eviction_psi_percent_limit: undefined,
    eviction_run_aging_count_min: undefined,
  }),
};

/** Absent fields leave a setting as it is. */
export type MemAgentCompactConfig = {
  disabled: boolean | undefined;
  period_secs: bigint | undefined;
  period_psi_percent_limit: number | undefined;
  compact_psi_percent_limit: number | undefined;
  compact_sec_max: bigint | undefined;
  compact_order: number | undefined;
  compact_threshold: bigint | undefined;
  compact_force_times: bigint | undefined;
};
export const MemAgentCompactConfig: MessageType<MemAgentCompactConfig> = {
  name: "grpc.MemAgentCompactConfig",
  fields: [
    [1, "disabled", "bool", "optional"],
    [2, "period_secs", "uint64", "optional"],
    [3, "period_psi_percent_limit", "uint32", "optional"],
    [4, "compact_psi_percent_limit", "uint32", "optional"],
    [5, "compact_sec_max", "int64", "optional"],
    [6, "compact_order", "uint32", "optional"],
    [7, "compact_threshold", "uint64", "optional"],
    [8, "compact_force_times", "uint64", "optional"],
  ],
  create: () => ({
    disabled: undefined,
    period_secs: undefined,
    period_psi_percent_limit: undefined,
    compact_psi_percent_limit: undefined,
    compact_sec_max: undefined,
    compact_order: undefined,
    compact_threshold: undefined,
    compact_force_times: undefined,
  }),
};
