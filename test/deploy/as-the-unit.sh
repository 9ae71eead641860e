#!/bin/sh
# Runs a command with what kata-trace-forwarder.service leaves the forwarder: a file system that is read-only but for the
# folders of the unit, of /proc only the processes' part, two capabilities. Inside scripts/namespaces.sh only.
#
#   as-the-unit.sh CAPABILITIES COMMAND [ARGUMENT…]     such as chown,dac_override
set -eu
bounding=-all
for name in $(echo "$1" | tr , ' '); do bounding=$bounding,+$name; done
shift

mount -t tmpfs -o mode=755 tmpfs /var/log
mkdir -p /run/kata /run/vc/vm /var/log/kata-trace-forwarder
for folder in /run/kata /run/vc /var/log/kata-trace-forwarder; do mount --bind "$folder" "$folder"; done
while read -r _ _ _ _ point _; do
  case $point in
    /run/kata | /run/vc | /var/log/kata-trace-forwarder | /proc* | /dev* | /sys*) ;;
    *) mount -o remount,bind,ro "$point" 2>/dev/null || : ;;
  esac
done </proc/self/mountinfo
mount -t proc -o nosuid,nodev,noexec,subset=pid,hidepid=invisible proc /proc
ip link set lo up
exec setpriv --no-new-privs --inh-caps=-all --bounding-set="$bounding" -- env -i "$@"
