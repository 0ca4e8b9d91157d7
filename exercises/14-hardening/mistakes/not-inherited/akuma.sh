sudo sed -i '/server_name/a\
    proxy_set_header X-Real-IP $remote_addr;' /etc/nginx/akuma/my.reverse-proxy.conf
sleep 3   # as long as a student takes to look at it again
sudo nginx -t
sudo systemctl reload nginx
sleep 0.5
