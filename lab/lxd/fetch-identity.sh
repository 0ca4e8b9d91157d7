#!/bin/sh
# Copies what LXD tells this machine to where a container would have it: its name, and its identity.
set -eu
share=/run/lxd-share
mkdir -p -m 700 "$share"
modprobe -qa 9pnet_virtio virtiofs || true
mount -t virtiofs -o ro config "$share" 2>/dev/null ||
    mount -t 9p -o ro,access=0,trans=virtio config "$share"
cat "$share/files/hostname.tpl.out" >/etc/hostname
cat /etc/hostname >/proc/sys/kernel/hostname
mkdir -p /var/lib/lab
install -m 600 "$share/files/identity.tpl.out" /var/lib/lab/identity
umount "$share"
