# The site as a much copied tutorial leaves it, with akuma's own application behind it.
site=/etc/nginx/akuma/my.reverse-proxy.conf
sudo -H -u vagrant bash -elc "
    git clone -q /srv/git/hello.git ~/hello
    cd ~/hello
    PORT=$PORT pm2 start ecosystem.config.js
    pm2 save --force
    printf '1:\n2:\n3:\n' >~/answers.txt
" >/dev/null

cat >$site <<SITE
upstream domain {
    zone domain 64k;   # one memory for all workers
    server $VOXY:$PORT;
    server $ZERO:$PORT;
}

server {
    listen 80;
    server_name $DOMAIN $AKUMA;

    access_log /var/log/nginx/akuma.access.json lab_json;
    add_header X-Backend \$lab_backend always;
    add_header X-Upstream \$upstream_addr always;

    location / {
        proxy_pass http://127.0.0.1:$PORT;
        proxy_connect_timeout 1s;
        proxy_read_timeout 5s;
    }
}
SITE
nginx -t -q
systemctl reload nginx
curl -sS -o /dev/null --retry 20 --retry-delay 1 --retry-connrefused "http://127.0.0.1:$PORT/"
