#!/bin/sh
# On every machine. Arguments: NAME=ADDRESS of all three.
set -eu
for pair in "$@"; do
    grep -q "^${pair#*=} ${pair%%=*}$" /etc/hosts || echo "${pair#*=} ${pair%%=*}" >>/etc/hosts
done
