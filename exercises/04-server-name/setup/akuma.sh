# nginx with Debian's default site, the folder of the exercise before, and the page of a second site.
mkdir -p /etc/nginx/akuma
sed -i 's|^\(\s*\)include /etc/nginx/sites-enabled/\*;|&\n\1include /etc/nginx/akuma/*.conf;|' /etc/nginx/nginx.conf
mkdir -p /var/www/site
cat > /var/www/site/index.html <<PAGE
<!doctype html>
<title>$DOMAIN</title>
<h1>$DOMAIN</h1>
<p>$TOKEN</p>
PAGE
nginx -t -q
systemctl enable --quiet nginx
systemctl start nginx
