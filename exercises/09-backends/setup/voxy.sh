# The app is cloned; nothing runs, and pm2 does not start at boot.
chown -R vagrant:vagrant /srv/git   # git clones a local repository only from its owner
runuser -u vagrant -- git clone -q /srv/git/hello.git /home/vagrant/hello

if test -e /etc/systemd/system/pm2-vagrant.service; then
    systemctl disable --now pm2-vagrant
    rm -f /etc/systemd/system/pm2-vagrant.service
    systemctl daemon-reload
fi
runuser -l vagrant -c 'pm2 kill' > /dev/null
rm -rf /home/vagrant/.pm2
