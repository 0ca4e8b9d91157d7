sudo tee /etc/nginx/akuma/my.reverse-proxy.conf <<SITE
server {
    listen 80;
    server_name $DOMAIN;
    location / {
        proxy_pass http://127.0.0.1:$((PORT + 1));
    }
}
SITE
sudo nginx -t
sudo systemctl reload nginx
sleep 0.5
