sudo mkdir -p /etc/nginx/akuma
sudo tee /etc/nginx/akuma/my.reverse-proxy.conf <<SITE
server {
    listen 80;
    server_name $DOMAIN;
    location / {
        return 200 "$TOKEN\n";
    }
}
SITE
echo 'include /etc/nginx/akuma/*.conf;' | sudo tee -a /etc/nginx/nginx.conf
sudo nginx -t || true
