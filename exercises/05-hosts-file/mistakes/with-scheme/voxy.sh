echo "$AKUMA http://$DOMAIN" | sudo tee -a /etc/hosts
