/** Of the chart: what the Prometheus operator looks for. */
export const monitored = ["--set=monitoring.serviceMonitor=true,monitoring.rules=true"];
const sampling = "config.tables=[sampling]\nkeep_one_in = 10";
/** Values of the chart that people have, by what they want. */
export const wishes: Record<string, readonly string[]> = {
  "the defaults": [],
  "monitoring, with labels of the operator's": [...monitored, "--set=monitoring.labels.release=prometheus"],
  "QEMU's guests": ["--set=vsock.enabled=true", ...monitored],
  "a seccomp profile of one's own": [
    "--set=vsock.enabled=true,vsock.seccompProfile.type=Localhost,vsock.seccompProfile.localhostProfile=vsock.json",
  ],
  "QEMU alone, and nothing of the node": [
    "--set=vsock.enabled=true,vsock.seccompProfile.type=Localhost,vsock.seccompProfile.localhostProfile=vsock.json",
    "--set=runtime.hostPort=0",
    "--set-json=sandboxFolders=[]",
  ],
  "one runtime": ["--set=sandboxFolders={/run/kata}"],
  "the node's network": ["--set=runtime.hostNetwork=true"],
  "no spans of the runtime": ["--set=runtime.hostPort=0"],
  "VMMs without privileges on SELinux": ["--set=rootlessVmm=true,seLinuxOptions.type=spc_t"],
  "a file from a Secret": ["--set=config.existingSecret=kata-trace-file"],
  "sampling and no spool": ["--set=backend.spool=false,backend.type=otlp-grpc", "--set-string", sampling],
  "backends that the tables name": [
    "--set=backend.url=",
    "--set-string",
    'config.tables=[[backend]]\ntype = "zipkin"\nurl = "http://zipkin:9411"',
  ],
  "the guest on the nodes": ["--set=guest.enabled=true"],
  "the forwarder alone": ["--set=runtimeClass.enabled=false,networkPolicy.enabled=false"],
  "placing of one's own": [
    "--set=priorityClassName=system-node-critical,maxUnavailable=1,podAnnotations.a=b,image.pullSecrets[0].name=key",
    "--set-json=nodeSelector=null",
    "--set-json=tolerations=[]",
  ],
};

/** Folders of deploy/kustomize that are applied. */
export const folders = ["base", "gateway", "overlays/qemu", "overlays/monitored"];
