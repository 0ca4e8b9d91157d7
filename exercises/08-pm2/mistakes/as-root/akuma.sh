cd hello
sudo PORT=$PORT pm2 start ecosystem.config.js
sudo pm2 startup
sudo pm2 save
until curl -fsS -o /dev/null "http://127.0.0.1:$PORT/" 2> /dev/null; do sleep 0.1; done
