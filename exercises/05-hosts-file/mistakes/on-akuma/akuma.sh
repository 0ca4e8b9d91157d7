echo "$AKUMA $DOMAIN" | sudo tee -a /etc/hosts
