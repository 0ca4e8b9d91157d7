sudo tee /etc/nginx/akuma/my.reverse-proxy.conf > /dev/null <<SITE
upstream domain {
    server $AKUMA:$PORT;
    server $VOXY:$PORT;
    server $ZERO:$PORT;
}

server {
    server_name $DOMAIN;

    location / {
        proxy_pass http://127.0.0.1:$PORT;
    }
}
SITE
sudo nginx -t
sudo systemctl restart nginx
