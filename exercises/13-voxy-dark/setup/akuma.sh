# The site as the lab makes it, but nginx waits as long as it does when nobody has told it otherwise.
site=/etc/nginx/akuma/my.reverse-proxy.conf
sed -i -E 's/proxy_(connect|read)_timeout .*;/proxy_\1_timeout 60s;/' $site
nginx -t
systemctl reload nginx
printf '1:\n2:\n3:\n' > /home/vagrant/answers.txt
chown vagrant: /home/vagrant/answers.txt
