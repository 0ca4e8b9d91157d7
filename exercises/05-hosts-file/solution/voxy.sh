grep -q "$DOMAIN" /etc/hosts || echo "$AKUMA $DOMAIN" | sudo tee -a /etc/hosts
getent ahosts "$DOMAIN"
curl -s "http://$DOMAIN/"
