sudo tee /etc/nginx/akuma/site.conf <<SITE
server {
    listen 80 default_server;
    server_name $DOMAIN www.$DOMAIN;
    root /var/www/site;
}
SITE
sudo nginx -t || true
