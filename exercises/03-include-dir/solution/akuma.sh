sudo mkdir -p /etc/nginx/akuma
sudo tee /etc/nginx/akuma/my.reverse-proxy.conf <<SITE
server {
    listen 80;
    server_name $DOMAIN;

    location / {
        default_type text/plain;
        return 200 "$DOMAIN: $TOKEN\n";
    }
}
SITE
if ! grep -q 'include /etc/nginx/akuma/' /etc/nginx/nginx.conf; then
    sudo sed -i 's|^\(\s*\)include /etc/nginx/sites-enabled/\*;|&\n\1include /etc/nginx/akuma/*.conf;|' /etc/nginx/nginx.conf
fi
sudo nginx -t
sudo systemctl reload nginx
sleep 0.5   # nginx needs a moment to replace its workers
