# A site that comes only to those who ask for it by its name.
mkdir -p /var/www/site
cat > /var/www/site/index.html <<PAGE
<!doctype html>
<title>$DOMAIN</title>
<h1>$DOMAIN</h1>
<p>$TOKEN</p>
PAGE
cat > /etc/nginx/conf.d/site.conf <<SITE
server {
    listen 80;
    server_name $DOMAIN;
    root /var/www/site;
}
SITE
nginx -t -q
systemctl enable --quiet nginx
systemctl start nginx
sed -i "/[[:space:]]${DOMAIN//./\\.}\([[:space:]]\|$\)/d" /etc/hosts
