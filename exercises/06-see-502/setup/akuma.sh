# nginx with Debian's default site, the folder /etc/nginx/akuma, and the sheet for the answers.
mkdir -p /etc/nginx/akuma
sed -i 's|^\(\s*\)include /etc/nginx/sites-enabled/\*;|&\n\1include /etc/nginx/akuma/*.conf;|' /etc/nginx/nginx.conf
nginx -t -q
systemctl enable --quiet nginx
systemctl start nginx
printf '1:\n2:\n3:\n' > /home/vagrant/answers.txt
chown vagrant:vagrant /home/vagrant/answers.txt
