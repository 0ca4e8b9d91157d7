sudo sed -i 's/# server_tokens off;/server_tokens off;/' /etc/nginx/nginx.conf
sudo sed -i '/proxy_set_header Host/a\
        proxy_set_header X-Real-IP $remote_addr;\
        proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;' /etc/nginx/akuma/my.reverse-proxy.conf
sudo nginx -t
sudo systemctl reload nginx
sleep 0.5   # nginx's old workers finish first
