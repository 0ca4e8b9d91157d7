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
sleep 0.5   # nginx needs a moment to replace its workers

curl -i -H "Host: $DOMAIN" http://127.0.0.1/
sudo tail -n 1 /var/log/nginx/error.log
ss -Hltn "sport = :$PORT"

cat > ~/answers.txt <<SHEET
1: b
2: d
3: a
SHEET
