sudo sed -i "s|proxy_pass http://127.0.0.1:$PORT;|proxy_pass http://domain;|" /etc/nginx/akuma/my.reverse-proxy.conf
sudo nginx -t
sudo systemctl reload nginx
printf '1: c\n2: b\n3: b\n' >~/answers.txt
