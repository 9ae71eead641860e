#!/bin/sh
# First process of the guest that runs Kata's image_builder.sh (osbuilder-images.ts): makes the images of all roots in
# /roots into /out, the second disk, and switches the machine off. What happens is told on the second serial line.
mount -t proc proc /proc
mount -t sysfs sysfs /sys
export PATH=/usr/sbin:/usr/bin:/sbin:/bin TMPDIR=/out HOME=/root USER=root GROUP=root

# make NAME ROOT [OPTION…]
make() {
  image=/out/$1.img tree=/roots/$2
  export AGENT_INIT=${2##*-}
  shift 2
  echo "== $image"
  /osbuilder/image-builder/image_builder.sh "$@" -o "$image" "$tree"
  read -r uptime _ </proc/uptime
  echo "== $image: $(stat -c %s "$image") bytes, ${uptime%%.*} s after the boot"
}

make_images() {
  set -e
  modprobe loop
  mount /dev/vdb /out
  cd /roots
  for root in *; do make "$root" "$root"; done
  # How an image is laid out has nothing to do with whose files it holds: of one distribution is enough.
  for root in debian-*; do
    [ -d "$root" ] || continue
    make "$root-erofs" "$root" -f erofs
    # It ends at any whole 1 MiB, and as persistent memory a kernel takes whole 2 MiB only.
    truncate -s %2M "/out/$root-erofs.img"
    export SKIP_DAX_HEADER=yes
    make "$root-plain" "$root"
    unset SKIP_DAX_HEADER
  done
  umount /out
}

# A shell of its own, as `set -e` holds for nothing that is asked for its success; and through a pipe, as mkfs.erofs tells a
# terminal of each file.
{
  (make_images)
  [ $? != 0 ] || : >/made
} </dev/null 2>&1 | cat >/dev/ttyS1
sync
if [ -e /made ]; then echo "images: made"; else echo "images: failed"; fi >/dev/console
echo o >/proc/sysrq-trigger
while :; do sleep 60; done
