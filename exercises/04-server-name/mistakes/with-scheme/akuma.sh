sudo tee /etc/nginx/akuma/site.conf <<SITE
server {
    listen 80;
    server_name http://$DOMAIN;
    root /var/www/site;
}
SITE
sudo nginx -t
sudo systemctl reload nginx
sleep 0.5
