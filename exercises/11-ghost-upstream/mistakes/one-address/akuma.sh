sudo sed -i "s|proxy_pass http://127.0.0.1:$PORT;|proxy_pass http://$VOXY:$PORT;|" /etc/nginx/akuma/my.reverse-proxy.conf
sudo systemctl reload nginx
