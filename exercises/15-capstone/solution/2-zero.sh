case $FAULT in
amber)
    cd ~/hello
    pm2 delete hello
    PORT=$PORT pm2 start ecosystem.config.js
    pm2 save
    ;;
coral)
    sudo systemctl enable --now pm2-vagrant
    ;;
esac
curl -sS --retry 10 --retry-delay 1 --retry-connrefused "http://127.0.0.1:$PORT/whoami"
