sudo tee /etc/nginx/akuma/my.reverse-proxy.conf <<SITE
server {
    listen 80;
    server_name $DOMAIN;
    location / {
        proxy_pass http://127.0.0.1:$PORT;
    }
}
SITE
sudo nginx -t
sudo systemctl reload nginx
sleep 0.5
sudo systemd-run --quiet --unit=an-app "$(command -v node)" -e "require('http').createServer((q, a) => a.end('hello')).listen($PORT)"
until curl -s "http://127.0.0.1:$PORT/"; do sleep 0.1; done
