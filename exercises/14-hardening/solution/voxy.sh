# The app belongs to vagrant again; root's list has to forget it, or it returns at the next boot.
sudo pm2 delete hello
sudo pm2 save --force
cd ~/hello
PORT=$PORT pm2 start ecosystem.config.js
pm2 save

# Only akuma reaches it.
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

for try in $(seq 50); do
    curl -fsS -o /dev/null "http://127.0.0.1:$PORT/" 2> /dev/null && break
    sleep 0.1
done
