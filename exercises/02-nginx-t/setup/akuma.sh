# A site that works and is running; then an edit of its file that nobody tested.
site=/etc/nginx/conf.d/site.conf
mkdir -p /var/www/site
cat > /var/www/site/index.html <<PAGE
<!doctype html>
<title>$DOMAIN</title>
<h1>$DOMAIN</h1>
<p>$TOKEN</p>
PAGE
cat > "$site" <<SITE
server {
    listen 80;
    server_name $DOMAIN;
    root /var/www/site;

    location / {
        try_files \$uri \$uri/ =404;
    }
}
SITE
systemctl enable --quiet nginx
systemctl start nginx

cat > "$site" <<SITE
server {
    listen 80;
    server_name $DOMAIN;
    root /var/www/site;

    location / {
        try_files \$uri \$uri/ =404;
    }

    # new: the offer of the week
    location = /offer {
        default_type text/plain;
        return 200 "offer of the week: $TOKEN\n";
    }
}
SITE
case "$FAULT" in
    missing-semicolon) sed -i 's|default_type text/plain;|default_type text/plain|' "$site" ;;
    unclosed-brace) sed -i '/return 200/{n;d}' "$site" ;;
    misspelt-directive) sed -i 's/return 200/retrun 200/' "$site" ;;
esac
if nginx -t -q 2> /dev/null; then
    echo "the fault $FAULT is none: nginx -t passes" >&2
    exit 1
fi
