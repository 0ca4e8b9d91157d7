test -d ~/hello || git clone /srv/git/hello.git
cd ~/hello
npm install
PORT=$PORT nohup npm start < /dev/null > ~/hello.log 2>&1 &

# It takes a moment until it listens.
for try in $(seq 50); do
    curl -fsS -o /dev/null "http://127.0.0.1:$PORT/" 2> /dev/null && break
    sleep 0.1
done
