#!/bin/sh
# Gives a container who it is, before its first process starts: name, keys, resolver.
# LXC calls it as:  identity.sh GUESTS HOST  lxc-name  lxc mount   with LXC_ROOTFS_MOUNT set.
set -eu
from=$1/$2
to=$LXC_ROOTFS_MOUNT

cp "$from/hostname" "$from/hosts" "$to/etc/"
rm -f "$to/etc/resolv.conf"   # it may be a link that points out of the guest
cp "$from/resolv.conf" "$to/etc/resolv.conf"
install -m 600 "$from/ssh_host_ed25519_key" "$to/etc/ssh/"
install -m 644 "$from/ssh_host_ed25519_key.pub" "$to/etc/ssh/"

owner=$(stat -c %u:%g "$to/home/vagrant")
install -d -m 700 -o "${owner%:*}" -g "${owner#*:}" "$to/home/vagrant/.ssh"
install -m 600 -o "${owner%:*}" -g "${owner#*:}" "$from/authorized_keys" "$to/home/vagrant/.ssh/"
