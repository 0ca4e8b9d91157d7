echo "server { listen $PORT; location / { proxy_pass http://$VOXY:$PORT; } }" | sudo tee /etc/nginx/conf.d/relay.conf
sudo nginx -t
sudo systemctl start nginx
until curl -fsS -o /dev/null "http://127.0.0.1:$PORT/" 2> /dev/null; do sleep 0.1; done
