cd ~/hello
PORT=$PORT pm2 start ecosystem.config.js

# `pm2 startup` prints the next line; it is what needs root.
sudo env PATH="$PATH" pm2 startup systemd -u vagrant --hp /home/vagrant
pm2 save

for try in $(seq 50); do
    curl -fsS -o /dev/null "http://127.0.0.1:$PORT/" 2> /dev/null && break
    sleep 0.1
done
