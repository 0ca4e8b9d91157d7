#!/bin/sh
# On voxy and zero: Node, pm2, and the app that Vagrant has copied to /tmp/hello.
set -eu
export DEBIAN_FRONTEND=noninteractive

if ! command -v npm >/dev/null; then
    apt-get update -q
    apt-get install -qy --no-install-recommends nodejs npm
fi
command -v pm2 >/dev/null || npm install --global --no-audit --no-fund --loglevel=error pm2@7

rm -rf /home/vagrant/hello
cp -r /tmp/hello /home/vagrant/hello
chown -R vagrant:vagrant /home/vagrant/hello
pm2=$(command -v pm2)
sudo -Hu vagrant sh -c "cd ~/hello && $pm2 startOrReload ecosystem.config.js && $pm2 save --force"
systemctl is-enabled -q pm2-vagrant || "$pm2" startup systemd -u vagrant --hp /home/vagrant
