#!/bin/sh
# Runs a command as PID 1 of a small private world: its own processes, mounts, host name, IPC, network and cgroup
# root, for root and for ordinary users alike. Nothing it mounts or names reaches the machine; when this script or
# the command ends, every process inside is gone.
#
#   scripts/namespaces.sh COMMAND [ARGUMENT…]
#
# Inside: /run and /dev/shm are empty; /dev is a private folder with only the harmless devices; /proc, /sys and
# /dev/pts are the namespace's own; /sys/fs/cgroup is cgroup version 2 from here on down. Everything else of the
# machine's files is there, so a unix socket below /tmp is a way in and out. `lo` is down until somebody raises it.
set -eu

if [ "${1:-}" != --inside ]; then
  [ $# -gt 0 ] || { sed -n '2,/^set/s/^# \{0,1\}//p' "$0"; exit 2; }
  map=
  [ "$(id -u)" = 0 ] || map=--map-root-user
  # shellcheck disable=SC2086 # empty or one word
  exec unshare $map --pid --fork --kill-child --mount --uts --ipc --net --cgroup -- "$0" --inside "$@"
fi
shift

# A tmpfs made of bind mounts instead of /dev itself: that is one and the same devtmpfs in every mount namespace, so a
# node removed from it would be gone from the machine.
make_dev() {
  new=/run/dev
  mkdir "$new"
  mount -t tmpfs -o mode=755,nosuid tmpfs "$new"
  for device in null zero full random urandom tty; do
    : >"$new/$device"
    mount --bind "/dev/$device" "$new/$device"
  done
  mkdir "$new/pts" "$new/shm" "$new/mqueue"
  ln -s pts/ptmx "$new/ptmx"
  ln -s /proc/self/fd "$new/fd"
  ln -s fd/0 "$new/stdin"
  ln -s fd/1 "$new/stdout"
  ln -s fd/2 "$new/stderr"
  mount -t devpts -o newinstance,ptmxmode=0666,mode=620,nosuid,noexec devpts "$new/pts"
  mount -t tmpfs -o mode=1777,nosuid,nodev tmpfs "$new/shm"
  mount -t mqueue -o nosuid,nodev,noexec mqueue "$new/mqueue"
  mount --move "$new" /dev
  rmdir "$new"
}

mount -t tmpfs -o mode=755,nosuid,nodev tmpfs /run
make_dev
mount -t proc -o nosuid,nodev,noexec proc /proc
mount -t sysfs -o nosuid,nodev,noexec sysfs /sys
mount -t cgroup2 -o nosuid,nodev,noexec cgroup2 /sys/fs/cgroup
exec "$@"
