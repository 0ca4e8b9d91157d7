echo "127.0.0.1 $DOMAIN" | sudo tee -a /etc/hosts
