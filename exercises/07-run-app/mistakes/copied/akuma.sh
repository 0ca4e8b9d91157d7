mkdir app
git -C /srv/git/hello.git archive HEAD | tar -x -C app
cd app
PORT=$PORT nohup npm start < /dev/null > ~/app.log 2>&1 &
until curl -fsS -o /dev/null "http://127.0.0.1:$PORT/" 2> /dev/null; do sleep 0.1; done
