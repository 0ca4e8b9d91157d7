sudo tee /etc/nginx/akuma/my.reverse-proxy.conf <<SITE
server {
    listen 80;
    server_name $DOMAIN;
    location / {
        return 502;
    }
}
SITE
sudo nginx -t
sudo systemctl reload nginx
sleep 0.5
