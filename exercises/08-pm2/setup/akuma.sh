# nginx passes the site on, the app is cloned, and pm2 knows nothing yet and does not start at boot.
chown -R vagrant:vagrant /srv/git   # git clones a local repository only from its owner
runuser -u vagrant -- git clone -q /srv/git/hello.git /home/vagrant/hello

mkdir -p /etc/nginx/akuma
cat > /etc/nginx/akuma/my.reverse-proxy.conf <<SITE
server {
    server_name $DOMAIN;

    location / {
        proxy_pass http://127.0.0.1:$PORT;
    }
}
SITE
sed -i 's|^\(\s*\)include /etc/nginx/sites-enabled/.*|&\n\1include /etc/nginx/akuma/*.conf;|' /etc/nginx/nginx.conf
nginx -t
systemctl enable --now nginx

if test -e /etc/systemd/system/pm2-vagrant.service; then
    systemctl disable --now pm2-vagrant
    rm -f /etc/systemd/system/pm2-vagrant.service
    systemctl daemon-reload
fi
runuser -l vagrant -c 'pm2 kill' > /dev/null
rm -rf /home/vagrant/.pm2
