# nginx as Debian sets it up, and running.
systemctl enable --quiet nginx
systemctl start nginx
