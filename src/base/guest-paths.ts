/** Where things are in a guest (agent-api 0.5). The runtimes know these paths: they are part of the contract. */
export const guestPaths = {
  /** Bundles, shares and sandbox files; emptied when a sandbox is created. */
  base: "/run/kata-containers",
  /** What the agent keeps for itself: crun's state and short-lived sockets. No container id begins with a dot. */
  agent: "/run/kata-containers/.agent",
  /** Mount point of the host's share, the only place that CopyFile may write to. */
  share: "/run/kata-containers/shared/containers",
  /** Files of the pod as a whole: its `resolv.conf`, its `/dev/shm`. */
  sandbox: "/run/kata-containers/sandbox",
  /** Namespaces that all containers of the pod share, held open by bind mounts. */
  sandboxNamespaces: "/run/sandbox-ns",
  /** Specifications of CDI devices, which programs of the guest write. */
  cdi: "/var/run/cdi",
} as const;
