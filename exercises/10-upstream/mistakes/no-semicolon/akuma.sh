sudo tee /etc/nginx/akuma/my.reverse-proxy.conf > /dev/null <<SITE
upstream domain {
    server $AKUMA:$PORT
    server $VOXY:$PORT
    server $ZERO:$PORT
}

server {
    server_name $DOMAIN;

    location / {
        proxy_pass http://domain;
    }
}
SITE
sudo systemctl reload nginx || true   # it refuses, and the old configuration goes on serving
