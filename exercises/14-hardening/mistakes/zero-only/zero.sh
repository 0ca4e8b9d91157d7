sudo tee /etc/nftables.conf > /dev/null <<RULES
#!/usr/sbin/nft -f

flush ruleset

table inet filter {
    chain input {
        type filter hook input priority filter; policy accept;

        iif "lo" accept
        ip saddr $AKUMA tcp dport $PORT accept
        tcp dport $PORT reject
    }
}
RULES
sudo systemctl enable nftables
sudo systemctl restart nftables
