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
sudo sed -i 's|include /etc/nginx/sites-enabled/\*;|&\n\tinclude /etc/nginx/akuma/my.reverse-proxy.conf;|' /etc/nginx/nginx.conf
sudo nginx -t
sudo systemctl reload nginx
sleep 0.5
