sudo tee /etc/nginx/akuma/my.reverse-proxy.conf > /dev/null <<SITE
upstream domain {
    server $AKUMA:$PORT;   # akuma
    server $VOXY:$PORT;   # voxy
    server $ZERO:$PORT;   # zero
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
sleep 0.5   # nginx's old workers finish first
