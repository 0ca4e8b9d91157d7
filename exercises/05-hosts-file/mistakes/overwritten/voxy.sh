echo "$AKUMA $DOMAIN" | sudo tee /etc/hosts
