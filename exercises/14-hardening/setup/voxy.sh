# Somebody was in a hurry: on voxy root's pm2 runs the app.
runuser -l vagrant -c 'pm2 delete all && pm2 save --force'

cd /home/vagrant/hello
export HOME=/root PM2_DISCRETE_MODE=true PM2_DISABLE_VERSION_CHECK=true
PORT=$PORT pm2 start ecosystem.config.js
pm2 startup systemd -u root --hp /root
pm2 save

until curl -fsS -o /dev/null "http://127.0.0.1:$PORT/" 2> /dev/null; do sleep 0.1; done
