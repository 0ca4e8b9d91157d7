sudo rm /etc/nginx/conf.d/site.conf
sudo nginx -t
sudo systemctl reload nginx
sleep 0.5
