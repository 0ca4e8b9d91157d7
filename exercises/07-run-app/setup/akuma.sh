# nginx passes the site on to a port at which nobody listens yet: 502 Bad Gateway.
chown -R vagrant:vagrant /srv/git   # git clones a local repository only from its owner

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
