sudo sed -i 's/proxy_next_upstream .*;/proxy_next_upstream off;/' /etc/nginx/akuma/my.reverse-proxy.conf
sudo nginx -t
sudo systemctl reload nginx
