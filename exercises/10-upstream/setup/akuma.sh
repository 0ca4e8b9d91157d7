# akuma too runs the app under pm2; nginx passes the site on to that one only.
chown -R vagrant:vagrant /srv/git   # git clones a local repository only from its owner
runuser -u vagrant -- git clone -q /srv/git/hello.git /home/vagrant/hello
runuser -l vagrant -c "cd ~/hello && PORT=$PORT pm2 start ecosystem.config.js && pm2 save --force"

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

until curl -fsS -o /dev/null "http://127.0.0.1:$PORT/" 2> /dev/null; do sleep 0.1; done
