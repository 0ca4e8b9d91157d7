echo "$ZERO $DOMAIN" | sudo tee -a /etc/hosts
