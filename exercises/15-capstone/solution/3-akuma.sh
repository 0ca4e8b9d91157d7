site=/etc/nginx/akuma/my.reverse-proxy.conf
case $FAULT in
amber)
    sudo sed -i "/server $VOXY:$PORT/s/#/; #/" $site
    printf '1: akuma config\n2: voxy network\n3: zero process\n' > ~/incident.txt
    ;;
blue)
    sudo sed -i 's|proxy_pass .*;|proxy_pass http://domain;|' $site
    sudo sed -i "s/^.* zero$/$ZERO zero/" /etc/hosts
    printf '1: akuma config\n2: akuma name\n3: voxy process\n' > ~/incident.txt
    ;;
coral)
    sudo sed -i "s/server_name .*;/server_name $DOMAIN $AKUMA;/; s/server $VOXY:[0-9]*/server $VOXY:$PORT/" $site
    printf '1: akuma name\n2: akuma config\n3: zero process\n' > ~/incident.txt
    ;;
esac
sudo nginx -t
sudo systemctl restart nginx
