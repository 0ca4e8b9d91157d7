sudo sed -i 's/^server {/server {\n\tproxy_connect_timeout 1s;/' /etc/nginx/sites-available/default
sudo sed -i 's/proxy_read_timeout .*;/proxy_read_timeout 5s;/' /etc/nginx/akuma/my.reverse-proxy.conf
sudo nginx -t
sudo systemctl reload nginx
