case $FAULT in
amber)
    sudo sed -i '/closed after the audit/d' /etc/nftables.conf
    sudo systemctl reload nftables
    ;;
blue)
    cd ~/hello
    PORT=$PORT pm2 start ecosystem.config.js
    pm2 save
    ;;
esac
curl -sS --retry 10 --retry-delay 1 --retry-connrefused "http://127.0.0.1:$PORT/whoami"
