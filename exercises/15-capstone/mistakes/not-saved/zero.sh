cd ~/hello
pm2 delete hello
pm2 save --force
PORT=$PORT pm2 start ecosystem.config.js
curl -sS --retry 10 --retry-delay 1 --retry-connrefused "http://127.0.0.1:$PORT/whoami"
