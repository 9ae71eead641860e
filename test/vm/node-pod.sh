#!/bin/sh
# Runs in the node of node.test.ts, as a VMM with a guest would: a process with the command line of one, and an agent on
# VSOCK port 1024 with the kernel's loopback between, so that its context id is 1. Then a container runs in it. The guest
# stays when this ends.
set -eu
cid=1
cat >/root/agent.toml <<END
server_addr = "vsock://-1:1024"
vsock_peers = "any"
log_vport = 1025
debug_console = true
debug_console_vport = 1026
tracing = "isolated"
trace_addr = "vsock://$cid:10240"
END
systemd-run --quiet --collect --unit=guest --setenv=PATH="$PATH" sh -c '/mnt/scripts/namespaces.sh kata-agent --config /root/agent.toml; :' \
  /usr/bin/qemu-system-x86_64 -device "vhost-vsock-pci,id=vsock-$cid,guest-cid=$cid" -append "quiet agent.trace=isolated"
mkdir -p /tmp/pod/bin && cp /bin/busybox /tmp/pod/bin/sh
agentctl --addr "vsock://$cid:1024" --wait 120s run /tmp/pod sh -c 'echo hello'
