sudo tee /etc/nginx/akuma/my.reverse-proxy.conf > /dev/null <<SITE
upstream domain {
    server $VOXY:$PORT;
    server $ZERO:$PORT;
}

server {
    server_name $DOMAIN;

    location / {
        proxy_pass http://domain;
    }
}
SITE
sudo nginx -t
sudo systemctl reload nginx
sleep 0.5
