site=/etc/nginx/akuma/my.reverse-proxy.conf
sudo sed -i 's/proxy_connect_timeout .*;/proxy_connect_timeout 1s;/' $site
sudo sed -i 's/proxy_read_timeout .*;/proxy_read_timeout 5s;/' $site
sudo nginx -t
