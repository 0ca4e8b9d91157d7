# Three small changes of a weekend. Which ones, the colour says; those on voxy and zero are in their own scripts.
site=/etc/nginx/akuma/my.reverse-proxy.conf
case $FAULT in
amber)
    # A semicolon got lost, and nginx was restarted all the same.
    sed -i "/server $VOXY:$PORT/s/;/ /" $site
    systemctl restart nginx 2> /dev/null || true
    ;;
blue)
    # The upstream is declared and nobody uses it; its member zero is a name, which leads to the wrong address.
    sed -i "s|proxy_pass .*;|proxy_pass http://$VOXY:$PORT;|; s|server $ZERO:$PORT|server zero:$PORT|" $site
    sed -i "s/^$ZERO zero$/$AKUMA zero/" /etc/hosts
    nginx -t
    systemctl restart nginx
    ;;
coral)
    # The site answers to another name, and asks voxy at another port.
    sed -i "s/server_name $DOMAIN /server_name ${DOMAIN/./-} /; s/server $VOXY:$PORT/server $VOXY:$((PORT + 10))/" $site
    nginx -t
    systemctl restart nginx
    ;;
esac
printf '1:\n2:\n3:\n' > /home/vagrant/incident.txt
chown vagrant: /home/vagrant/incident.txt
