sudo sed -i '/# new/,$d' /etc/nginx/conf.d/site.conf
echo '}' | sudo tee -a /etc/nginx/conf.d/site.conf
sudo nginx -t
sudo systemctl reload nginx
sleep 0.5
