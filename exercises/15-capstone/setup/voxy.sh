case $FAULT in
amber)
    # A firewall that drops what the neighbours send to the app, also after a reboot.
    rule="tcp dport { 21, 23, $PORT } iifname != \"lo\" drop   # closed after the audit"
    sed -i "s/^\(\s*\)type filter hook input.*/&\n\1$rule/" /etc/nftables.conf
    systemctl enable --now nftables 2> /dev/null
    ;;
blue)
    # pm2 knows nothing of the app any more, and has saved that.
    su - vagrant -c 'pm2 delete hello && pm2 save --force' > /dev/null
    ;;
esac
