#!/bin/sh
# Makes a bare Debian or Ubuntu machine ready: system packages, npm packages, the test runner.
# Does nothing, quickly, when all is there.
#
#   scripts/setup.sh           what building, testing and the embedded demo need
#   scripts/setup.sh vm        also what a test VM needs
#   scripts/setup.sh osbuilder also what Kata's own scripts call
#   scripts/setup.sh cross     also what building and booting guests of the other architecture needs
#   scripts/setup.sh try-vm    all that and a browser where root can install it, else a note: tests that need it then skip
set -eu
cd "$(dirname "$0")/.."

say() { echo "setup: $*"; }
fail() { echo "setup: $*" >&2; exit 1; }

# --- what the user brings ---
for tool in node npm make gcc; do
  command -v "$tool" >/dev/null || fail "$tool is missing; needed: Node.js 20 or newer, npm, make and gcc"
done
major=$(node -p 'process.versions.node.split(".")[0]')
[ "$major" -ge 20 ] || fail "Node.js 20 or newer is needed, this is $(node --version)"

# --- system packages ---
# need PACKAGE FILE...: notes the package unless one of the files exists.
missing=
need() {
  package=$1; shift
  for file; do [ -e "$file" ] && return; done
  missing="$missing $package"
}
# need_tool PACKAGE COMMAND: the same for a command, also where an ordinary user's PATH does not reach.
need_tool() {
  PATH=$PATH:/usr/sbin:/sbin command -v "$2" >/dev/null || missing="$missing $1"
}
base_packages() {
  need libc6-dev /usr/include/stdio.h
  need busybox-static /var/lib/dpkg/info/busybox-static.list
  need_tool crun crun
  need_tool iproute2 ip
  need_tool util-linux unshare
}
vm_packages() {
  case $(uname -m) in
  aarch64) need_tool qemu-system-arm qemu-system-aarch64 ;;
  *) need_tool qemu-system-x86 qemu-system-x86_64 ;;
  esac
  need_tool cpio cpio
  need_tool kmod depmod
  need_tool xz-utils xz
  need_tool e2fsprogs mkfs.ext4
  need_tool binutils strip
  need_tool mmdebstrap mmdebstrap
  need_tool patchelf patchelf
  need_tool zstd zstd
  need_tool dpkg-dev dpkg-source
  need_tool gperf gperf
  need_tool pkgconf pkg-config
  need_tool python3 python3
  python3 -c 'import ensurepip, venv' 2>/dev/null || missing="$missing python3-venv"
  need_tool iptables xtables-legacy-multi
  need_tool cryptsetup-bin veritysetup
  need_tool erofs-utils mkfs.erofs
  need_tool fdisk sfdisk
  # What lays packages down for an ordinary user.
  [ "$(id -u)" = 0 ] || need_tool uidmap newuidmap
}

# Guests of the other architecture: built by a cross compiler, emulated.
cross_packages() {
  case $(uname -m) in
  x86_64)
    need_tool gcc-aarch64-linux-gnu aarch64-linux-gnu-gcc
    need libc6-dev-arm64-cross /usr/aarch64-linux-gnu/include/stdio.h
    need_tool qemu-system-arm qemu-system-aarch64 ;;
  aarch64)
    need_tool gcc-x86-64-linux-gnu x86_64-linux-gnu-gcc
    need libc6-dev-amd64-cross /usr/x86_64-linux-gnu/include/stdio.h
    need_tool qemu-system-x86 qemu-system-x86_64 ;;
  esac
}

# What Kata's rootfs.sh and initrd_builder.sh call.
osbuilder_packages() {
  need_tool makedev MAKEDEV
  need_tool sudo sudo
}

# What the tests of the trace page need: without it they skip.
page_packages() {
  need_tool chromium chromium
}

# What the tests of the packages need: without it they skip.
release_packages() {
  need_tool mmdebstrap mmdebstrap
  need_tool groff-base groff
  need_tool mandoc mandoc
  need_tool zsh zsh
  need_tool fish fish
  need_tool uidmap newuidmap
  # The programs for the other architecture, without a guest.
  case $(uname -m) in
  aarch64) need_tool qemu-user qemu-x86_64 ;;
  *) need_tool qemu-user qemu-aarch64 ;;
  esac
}

# What the tests of manifests and container images need: without it they skip.
cluster_packages() {
  need_tool umoci umoci
}

apt_install() {
  [ "$(id -u)" = 0 ] || return 1
  command -v apt-get >/dev/null || return 1
  say "installing$missing (apt)"
  # shellcheck disable=SC2086 # a list of package names
  apt_once() {
    DEBIAN_FRONTEND=noninteractive apt-get -qq update >/dev/null &&
      DEBIAN_FRONTEND=noninteractive apt-get -qq install -y --no-install-recommends $missing >/dev/null
  }
  apt_once || { say "apt failed, trying once more"; sleep 3; apt_once; }
}

base_packages
case "${1:-}" in
vm) vm_packages ;;
osbuilder) vm_packages; osbuilder_packages ;;
cross) vm_packages; cross_packages ;;
esac
if [ -n "$missing" ]; then
  apt_install || fail "missing:$missing; install with: sudo apt-get install -y --no-install-recommends$missing"
fi
if [ "${1:-}" = try-vm ]; then
  missing=
  vm_packages
  cross_packages
  page_packages
  release_packages
  cluster_packages
  [ -z "$missing" ] || apt_install || say "some tests will be skipped, missing:$missing"
fi

# --- npm packages ---
# A package of npm's brings no lock file; package.json names every version exactly.
[ -e package-lock.json ] || npm install --package-lock-only --no-audit --no-fund --loglevel=error >/dev/null
stamp=node_modules/.setup-stamp
if ! cmp -s package-lock.json "$stamp"; then
  say "installing npm packages"
  npm ci --no-audit --no-fund --loglevel=error >/dev/null
  say "preparing the test runner"
  # tap generates its test class once per installation; without that its first run fails.
  PATH=$PWD/node_modules/.bin:$PATH node_modules/.bin/tap build >/dev/null
  node_modules/.bin/node --version >/dev/null || fail "the pinned Node.js does not run on this machine"
  cp package-lock.json "$stamp"
fi
