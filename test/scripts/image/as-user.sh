#!/bin/sh
# Runs a command as an ordinary user who may have user namespaces: one that only this mount namespace knows, with a
# range of its own in /etc/subuid. DIRECTORY is its home.
#
#   unshare --mount test/scripts/image/as-user.sh DIRECTORY COMMAND [ARGUMENT…]
set -eu
home=$1; shift
id=4242
mount --make-rprivate /
mkdir -p "$home"
for file in passwd group subuid subgid; do
  cp "/etc/$file" "$home/$file"
done
echo "builder:x:$id:$id::$home:/bin/sh" >>"$home/passwd"
echo "builder:x:$id:" >>"$home/group"
for file in subuid subgid; do echo "builder:300000:65536" >"$home/$file"; done
for file in passwd group subuid subgid; do mount --bind "$home/$file" "/etc/$file"; done
chown "$id:$id" "$home"
exec setpriv --reuid "$id" --regid "$id" --init-groups env "HOME=$home" USER=builder "$@"
