case $FAULT in
amber)
    # The app listens at another port, also after a reboot.
    su - vagrant -c "cd hello && pm2 delete hello && PORT=$((PORT + 7)) pm2 start ecosystem.config.js && pm2 save --force" > /dev/null
    ;;
coral)
    # pm2 is stopped, and does not start at boot.
    systemctl disable --now pm2-vagrant 2> /dev/null
    su - vagrant -c 'pm2 kill' > /dev/null
    ;;
esac
