# A Debian without a web server, as it comes from the installer.
dpkg --purge nginx nginx-common nginx-light nginx-core >/dev/null 2>&1 || true
rm -rf /etc/nginx /var/www /var/log/nginx
printf '1:\n2:\n3:\n' >/home/vagrant/answers.txt
chown vagrant: /home/vagrant/answers.txt
