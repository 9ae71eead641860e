#!/bin/sh
# The world in which a page's commands run: private namespaces (scripts/namespaces.sh runs this file) where nothing of
# the machine can be changed.
#
#   page-world.sh REPOSITORY COMMANDS
#
# All file systems are read-only; /etc is a copy; /tmp, /run, /opt, /var/log and /var/spool are empty. The working
# folder looks like the checkout and can be written to; what `make build` leaves is on the PATH. `lo` is up.
set -eu
repository=$1 commands=$2

mkdir /run/repository /run/etc
mount --rbind "$repository" /run/repository
cp -a /etc/. /run/etc
while read -r _ _ _ _ point _; do
  case $point in
    /proc* | /sys* | /dev* | /run*) ;;
    *) mount -o remount,bind,ro "$point" 2>/dev/null || : ;;
  esac
done </proc/self/mountinfo
mount -o remount,bind,ro /run/repository
mount --bind /run/etc /etc
for folder in /tmp /opt /var/log /var/spool; do
  mount -t tmpfs -o mode=1777,nosuid,nodev tmpfs "$folder"
done
# A checkout below /tmp has just been covered, and the programs know where their Node is.
[ -e "$repository/Makefile" ] || { mkdir -p "$repository" && mount --rbind /run/repository "$repository"; }
ip link set lo up

mkdir /tmp/checkout
for entry in "$repository"/*; do ln -s "$entry" /tmp/checkout/; done
cd /tmp/checkout
printf '%s\n' "$commands" >/run/page.sh
# What is the machine's own even here, such as its clock, is out of reach. An agent's last spans may take their time: on
# a busy machine a second is not enough.
exec setpriv --bounding-set=-sys_time,-sys_boot,-sys_module,-sys_rawio -- \
  env -i HOME=/tmp KATA_AGENT_TRACE_FLUSH_TIMEOUT=30 PATH="$repository/build:$PATH" sh -eu /run/page.sh
