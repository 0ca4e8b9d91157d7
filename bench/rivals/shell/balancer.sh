#!/bin/sh
# On akuma: nginx with the site that Vagrant has copied to /tmp/akuma.conf. Arguments: akuma's, voxy's, zero's address.
set -eu
export DEBIAN_FRONTEND=noninteractive

if ! command -v nginx >/dev/null; then
    apt-get update -q
    apt-get install -qy --no-install-recommends nginx
fi

sed "s/AKUMA/$1/; s/VOXY/$2/; s/ZERO/$3/" /tmp/akuma.conf >/etc/nginx/conf.d/akuma.conf
nginx -t
systemctl enable nginx
systemctl reload-or-restart nginx
