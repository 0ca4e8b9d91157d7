echo "server { listen 127.0.0.1:$PORT; location / { return 200 'it works'; } }" | sudo tee /etc/nginx/conf.d/app.conf
sudo nginx -t
sudo systemctl reload nginx
until ss -Hltn "sport = :$PORT" | grep -q .; do sleep 0.1; done
