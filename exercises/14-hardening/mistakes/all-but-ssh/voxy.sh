sudo tee /etc/nftables.conf > /dev/null <<RULES
flush ruleset

table inet filter {
    chain input {
        type filter hook input priority filter; policy drop;

        iif "lo" accept
        ct state established,related accept
        tcp dport 22 accept
    }
}
RULES
sudo systemctl enable --now nftables
