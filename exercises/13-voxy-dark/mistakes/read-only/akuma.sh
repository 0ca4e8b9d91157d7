sudo sed -i 's/proxy_read_timeout .*;/proxy_read_timeout 5s;/' /etc/nginx/akuma/my.reverse-proxy.conf
sudo nginx -t
sudo systemctl reload nginx
