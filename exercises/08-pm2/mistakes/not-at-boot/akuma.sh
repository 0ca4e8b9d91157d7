cd hello
PORT=$PORT pm2 start ecosystem.config.js
pm2 save
pm2 startup || true   # prints the command that needs root, and it is not run
until curl -fsS -o /dev/null "http://127.0.0.1:$PORT/" 2> /dev/null; do sleep 0.1; done
