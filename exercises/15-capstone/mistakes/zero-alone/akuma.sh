sudo sed -i "s|proxy_pass .*;|proxy_pass http://$ZERO:$PORT;|" /etc/nginx/akuma/my.reverse-proxy.conf
sudo nginx -t
sudo systemctl restart nginx
