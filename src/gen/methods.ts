// Made by scripts/gen.ts from protos/. Do not edit: change the proto file and run the script.

import type { MessageType } from "./message-type.ts";
import { AddARPNeighborsRequest, AddSwapPathRequest, AddSwapRequest, CloseStdinRequest, CopyFileRequest, CreateContainerRequest, CreateSandboxRequest, DestroySandboxRequest, ExecProcessRequest, GetDiagnosticDataRequest, GetDiagnosticDataResponse, GetIPTablesRequest, GetIPTablesResponse, GetMetricsRequest, GetOOMEventRequest, GuestDetailsRequest, GuestDetailsResponse, Interfaces, ListInterfacesRequest, ListRoutesRequest, MemAgentCompactConfig, MemAgentMemcgConfig, MemHotplugByProbeRequest, Metrics, OOMEvent, OnlineCPUMemRequest, PauseContainerRequest, ReadStreamRequest, ReadStreamResponse, RemoveContainerRequest, RemoveStaleVirtiofsShareMountsRequest, ReseedRandomDevRequest, ResizeVolumeRequest, ResumeContainerRequest, Routes, SetGuestDateTimeRequest, SetIPTablesRequest, SetIPTablesResponse, SetPolicyRequest, SignalProcessRequest, StartContainerRequest, StartTracingRequest, StatsContainerRequest, StatsContainerResponse, StopTracingRequest, TtyWinResizeRequest, UpdateContainerRequest, UpdateEphemeralMountsRequest, UpdateInterfaceRequest, UpdateRoutesRequest, VolumeStatsRequest, WaitProcessRequest, WaitProcessResponse, WriteStreamRequest, WriteStreamResponse } from "./agent.ts";
import { VolumeStatsResponse } from "./csi.ts";
import { Empty } from "./empty.ts";
import { CheckRequest, HealthCheckResponse, VersionCheckResponse } from "./health.ts";
import { TraceFlushRequest, TraceSettingsChange, TraceStartRequest, TraceStatus, TraceStatusRequest, TraceStopRequest } from "./trace-control.ts";
import { Interface } from "./types.ts";

/** One method as it stands on the wire. `path` is `service/name`, without a slash before it. */
export type MethodDescriptor<Request extends object = object, Response extends object = object> = {
  readonly service: string;
  readonly name: string;
  readonly path: string;
  readonly requestType: MessageType<Request>;
  readonly responseType: MessageType<Response>;
};

function method<Request extends object, Response extends object>(
  service: string,
  name: string,
  requestType: MessageType<Request>,
  responseType: MessageType<Response>,
): MethodDescriptor<Request, Response> {
  return { service, name, path: `${service}/${name}`, requestType, responseType };
}

/** Handlers of all methods of `grpc.AgentService`; `Context` is what each gets besides its request. */
export type AgentService<Context> = {
  CreateSandbox(request: CreateSandboxRequest, context: Context): Promise<Empty>;
  DestroySandbox(request: DestroySandboxRequest, context: Context): Promise<Empty>;
  CreateContainer(request: CreateContainerRequest, context: Context): Promise<Empty>;
  StartContainer(request: StartContainerRequest, context: Context): Promise<Empty>;
  RemoveContainer(request: RemoveContainerRequest, context: Context): Promise<Empty>;
  UpdateContainer(request: UpdateContainerRequest, context: Context): Promise<Empty>;
  StatsContainer(request: StatsContainerRequest, context: Context): Promise<StatsContainerResponse>;
  PauseContainer(request: PauseContainerRequest, context: Context): Promise<Empty>;
  ResumeContainer(request: ResumeContainerRequest, context: Context): Promise<Empty>;
  ExecProcess(request: ExecProcessRequest, context: Context): Promise<Empty>;
  SignalProcess(request: SignalProcessRequest, context: Context): Promise<Empty>;
  WaitProcess(request: WaitProcessRequest, context: Context): Promise<WaitProcessResponse>;
  WriteStdin(request: WriteStreamRequest, context: Context): Promise<WriteStreamResponse>;
  ReadStdout(request: ReadStreamRequest, context: Context): Promise<ReadStreamResponse>;
  ReadStderr(request: ReadStreamRequest, context: Context): Promise<ReadStreamResponse>;
  CloseStdin(request: CloseStdinRequest, context: Context): Promise<Empty>;
  TtyWinResize(request: TtyWinResizeRequest, context: Context): Promise<Empty>;
  UpdateEphemeralMounts(request: UpdateEphemeralMountsRequest, context: Context): Promise<Empty>;
  RemoveStaleVirtiofsShareMounts(request: RemoveStaleVirtiofsShareMountsRequest, context: Context): Promise<Empty>;
  CopyFile(request: CopyFileRequest, context: Context): Promise<Empty>;
  GetVolumeStats(request: VolumeStatsRequest, context: Context): Promise<VolumeStatsResponse>;
  ResizeVolume(request: ResizeVolumeRequest, context: Context): Promise<Empty>;
  AddSwap(request: AddSwapRequest, context: Context): Promise<Empty>;
  AddSwapPath(request: AddSwapPathRequest, context: Context): Promise<Empty>;
  UpdateInterface(request: UpdateInterfaceRequest, context: Context): Promise<Interface>;
  UpdateRoutes(request: UpdateRoutesRequest, context: Context): Promise<Routes>;
  ListInterfaces(request: ListInterfacesRequest, context: Context): Promise<Interfaces>;
  ListRoutes(request: ListRoutesRequest, context: Context): Promise<Routes>;
  AddARPNeighbors(request: AddARPNeighborsRequest, context: Context): Promise<Empty>;
  GetIPTables(request: GetIPTablesRequest, context: Context): Promise<GetIPTablesResponse>;
  SetIPTables(request: SetIPTablesRequest, context: Context): Promise<SetIPTablesResponse>;
  OnlineCPUMem(request: OnlineCPUMemRequest, context: Context): Promise<Empty>;
  MemHotplugByProbe(request: MemHotplugByProbeRequest, context: Context): Promise<Empty>;
  GetGuestDetails(request: GuestDetailsRequest, context: Context): Promise<GuestDetailsResponse>;
  ReseedRandomDev(request: ReseedRandomDevRequest, context: Context): Promise<Empty>;
  SetGuestDateTime(request: SetGuestDateTimeRequest, context: Context): Promise<Empty>;
  SetPolicy(request: SetPolicyRequest, context: Context): Promise<Empty>;
  GetOOMEvent(request: GetOOMEventRequest, context: Context): Promise<OOMEvent>;
  GetMetrics(request: GetMetricsRequest, context: Context): Promise<Metrics>;
  StartTracing(request: StartTracingRequest, context: Context): Promise<Empty>;
  StopTracing(request: StopTracingRequest, context: Context): Promise<Empty>;
  GetDiagnosticData(request: GetDiagnosticDataRequest, context: Context): Promise<GetDiagnosticDataResponse>;
  MemAgentMemcgSet(request: MemAgentMemcgConfig, context: Context): Promise<Empty>;
  MemAgentCompactSet(request: MemAgentCompactConfig, context: Context): Promise<Empty>;
};

/** The methods of `grpc.AgentService`, by name. */
export const AgentServiceMethods = {
  CreateSandbox: method("grpc.AgentService", "CreateSandbox", CreateSandboxRequest, Empty),
  DestroySandbox: method("grpc.AgentService", "DestroySandbox", DestroySandboxRequest, Empty),
  CreateContainer: method("grpc.AgentService", "CreateContainer", CreateContainerRequest, Empty),
  StartContainer: method("grpc.AgentService", "StartContainer", StartContainerRequest, Empty),
  RemoveContainer: method("grpc.AgentService", "RemoveContainer", RemoveContainerRequest, Empty),
  UpdateContainer: method("grpc.AgentService", "UpdateContainer", UpdateContainerRequest, Empty),
  StatsContainer: method("grpc.AgentService", "StatsContainer", StatsContainerRequest, StatsContainerResponse),
  PauseContainer: method("grpc.AgentService", "PauseContainer", PauseContainerRequest, Empty),
  ResumeContainer: method("grpc.AgentService", "ResumeContainer", ResumeContainerRequest, Empty),
  ExecProcess: method("grpc.AgentService", "ExecProcess", ExecProcessRequest, Empty),
  SignalProcess: method("grpc.AgentService", "SignalProcess", SignalProcessRequest, Empty),
  WaitProcess: method("grpc.AgentService", "WaitProcess", WaitProcessRequest, WaitProcessResponse),
  WriteStdin: method("grpc.AgentService", "WriteStdin", WriteStreamRequest, WriteStreamResponse),
  ReadStdout: method("grpc.AgentService", "ReadStdout", ReadStreamRequest, ReadStreamResponse),
  ReadStderr: method("grpc.AgentService", "ReadStderr", ReadStreamRequest, ReadStreamResponse),
  CloseStdin: method("grpc.AgentService", "CloseStdin", CloseStdinRequest, Empty),
  TtyWinResize: method("grpc.AgentService", "TtyWinResize", TtyWinResizeRequest, Empty),
  UpdateEphemeralMounts: method("grpc.AgentService", "UpdateEphemeralMounts", UpdateEphemeralMountsRequest, Empty),
  RemoveStaleVirtiofsShareMounts: method("grpc.AgentService", "RemoveStaleVirtiofsShareMounts", RemoveStaleVirtiofsShareMountsRequest, Empty),
  CopyFile: method("grpc.AgentService", "CopyFile", CopyFileRequest, Empty),
  GetVolumeStats: method("grpc.AgentService", "GetVolumeStats", VolumeStatsRequest, VolumeStatsResponse),
  ResizeVolume: method("grpc.AgentService", "ResizeVolume", ResizeVolumeRequest, Empty),
  AddSwap: method("grpc.AgentService", "AddSwap", AddSwapRequest, Empty),
  AddSwapPath: method("grpc.AgentService", "AddSwapPath", AddSwapPathRequest, Empty),
  UpdateInterface: method("grpc.AgentService", "UpdateInterface", UpdateInterfaceRequest, Interface),
  UpdateRoutes: method("grpc.AgentService", "UpdateRoutes", UpdateRoutesRequest, Routes),
  ListInterfaces: method("grpc.AgentService", "ListInterfaces", ListInterfacesRequest, Interfaces),
  ListRoutes: method("grpc.AgentService", "ListRoutes", ListRoutesRequest, Routes),
  AddARPNeighbors: method("grpc.AgentService", "AddARPNeighbors", AddARPNeighborsRequest, Empty),
  GetIPTables: method("grpc.AgentService", "GetIPTables", GetIPTablesRequest, GetIPTablesResponse),
  SetIPTables: method("grpc.AgentService", "SetIPTables", SetIPTablesRequest, SetIPTablesResponse),
  OnlineCPUMem: method("grpc.AgentService", "OnlineCPUMem", OnlineCPUMemRequest, Empty),
  MemHotplugByProbe: method("grpc.AgentService", "MemHotplugByProbe", MemHotplugByProbeRequest, Empty),
  GetGuestDetails: method("grpc.AgentService", "GetGuestDetails", GuestDetailsRequest, GuestDetailsResponse),
  ReseedRandomDev: method("grpc.AgentService", "ReseedRandomDev", ReseedRandomDevRequest, Empty),
  SetGuestDateTime: method("grpc.AgentService", "SetGuestDateTime", SetGuestDateTimeRequest, Empty),
  SetPolicy: method("grpc.AgentService", "SetPolicy", SetPolicyRequest, Empty),
  GetOOMEvent: method("grpc.AgentService", "GetOOMEvent", GetOOMEventRequest, OOMEvent),
  GetMetrics: method("grpc.AgentService", "GetMetrics", GetMetricsRequest, Metrics),
  StartTracing: method("grpc.AgentService", "StartTracing", StartTracingRequest, Empty),
  StopTracing: method("grpc.AgentService", "StopTracing", StopTracingRequest, Empty),
  GetDiagnosticData: method("grpc.AgentService", "GetDiagnosticData", GetDiagnosticDataRequest, GetDiagnosticDataResponse),
  MemAgentMemcgSet: method("grpc.AgentService", "MemAgentMemcgSet", MemAgentMemcgConfig, Empty),
  MemAgentCompactSet: method("grpc.AgentService", "MemAgentCompactSet", MemAgentCompactConfig, Empty),
} as const;

/** Handlers of all methods of `grpc.Health`; `Context` is what each gets besides its request. */
export type Health<Context> = {
  Check(request: CheckRequest, context: Context): Promise<HealthCheckResponse>;
  Version(request: CheckRequest, context: Context): Promise<VersionCheckResponse>;
};

/** The methods of `grpc.Health`, by name. */
export const HealthMethods = {
  Check: method("grpc.Health", "Check", CheckRequest, HealthCheckResponse),
  Version: method("grpc.Health", "Version", CheckRequest, VersionCheckResponse),
} as const;

/** Handlers of all methods of `kata.trace.v1.TraceControl`; `Context` is what each gets besides its request. */
export type TraceControl<Context> = {
  Status(request: TraceStatusRequest, context: Context): Promise<TraceStatus>;
  Start(request: TraceStartRequest, context: Context): Promise<TraceStatus>;
  Stop(request: TraceStopRequest, context: Context): Promise<TraceStatus>;
  Configure(request: TraceSettingsChange, context: Context): Promise<TraceStatus>;
  Flush(request: TraceFlushRequest, context: Context): Promise<TraceStatus>;
};

/** The methods of `kata.trace.v1.TraceControl`, by name. */
export const TraceControlMethods = {
  Status: method("kata.trace.v1.TraceControl", "Status", TraceStatusRequest, TraceStatus),
  Start: method("kata.trace.v1.TraceControl", "Start", TraceStartRequest, TraceStatus),
  Stop: method("kata.trace.v1.TraceControl", "Stop", TraceStopRequest, TraceStatus),
  Configure: method("kata.trace.v1.TraceControl", "Configure", TraceSettingsChange, TraceStatus),
  Flush: method("kata.trace.v1.TraceControl", "Flush", TraceFlushRequest, TraceStatus),
} as const;

/** Every method of every service. */
export const allMethods: readonly MethodDescriptor[] = [
  ...Object.values(AgentServiceMethods),
  ...Object.values(HealthMethods),
  ...Object.values(TraceControlMethods),
];
